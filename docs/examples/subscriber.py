"""Print the faces of `unmask feed camera --out mqtt://HOST/TOPIC`: python subscriber.py HOST[:PORT] TOPIC.

Needs the extra `feed`.
"""

import json
import sys

import paho.mqtt.client as mqtt

host, _, port = sys.argv[1].partition(":")
topic = sys.argv[2]
seen = set()  # keys: a line may come twice after a lost connection


def show(client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
    face = json.loads(message.payload)
    if face["key"] not in seen:
        seen.add(face["key"])
        kind = "invented below the eyes" if face["inpainted"] else "bare"
        print(f"{face['pts_s']:.2f} s, track {face['track_id']}: {kind}", flush=True)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_connect = lambda *_: client.subscribe(f"{topic}/face", qos=1)
client.on_subscribe = lambda *_: print(f"listening to {topic}/face", flush=True)
client.on_message = show
client.connect(host, int(port or 1883))
client.loop_forever()
