"""Every threshold of the stages, with its unit, its meaning and the benchmark that chose it.

"benchmark: NAME" is `python -m benchmarks NAME`. Distances in "crop px" are pixels of the 128x128 crop,
"levels" are steps of an 8-bit channel, 0..255, and "shares" lie between 0 and 1. Sizes of filter kernels,
margins and other plain geometry stand beside the code that uses them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MaskMeasures:
    """What is measured of a mask to decide whether it is worn; also the least values that it must reach.

    Attributes:
        coverage: share of the visible crop that is surely mask.
        confidence: mean probability of the sure mask pixels, 0..1.
        nose_mouth_share: share of nose and mouth that is surely mask.
        sure_per_vague: sure mask pixels for each vague pixel.
    """

    coverage: float
    confidence: float
    nose_mouth_share: float
    sure_per_vague: float

    def reaches(self, least: MaskMeasures) -> bool:
        """Whether every value is at least as high."""
        return (
            self.coverage >= least.coverage
            and self.confidence >= least.confidence
            and self.nose_mouth_share >= least.nose_mouth_share
            and self.sure_per_vague >= least.sure_per_vague
        )


@dataclass(frozen=True)
class DetectSettings:
    """Where faces are searched, and what counts as a detected and as a confirmed face."""

    least_window_px: float = 128.0
    """Picture px: side of the smallest window that is searched; faces from a sixth of it on are found.
    Benchmark: find."""
    most_windows_across: float = 14.0
    """The smallest window is at least this share of a large picture's longer side. Benchmark: find."""
    fine_windows_across: float = 5.0
    """Windows down to this share of a stream's longer side are searched often. Benchmark: find."""
    window_step: float = 0.6
    """Side of the windows of one level, of those of the level above. Benchmark: find."""
    window_overlap: float = 0.3
    """Share of a window that overlaps the next one. Not measured alone."""
    wider_than_picture: float = 1.5
    """Side of the widest window, of a picture's longer side: faces may fill the picture.
    Not measured alone."""
    coarse_sweep_s: float = 0.25
    """Seconds after which a stream is searched again in a large window that changed. Benchmark: find."""
    fine_sweep_s: float = 0.6
    """The same of a window of middle size. Benchmark: find."""
    small_sweep_s: float = 1.5
    """The same of a small window. Benchmark: find."""
    rolled_sweep_s: float = 3.0
    """The same of a window that is searched for faces that are rolled by a quarter turn and more.
    Benchmark: find."""
    unchanged_sweep_s: float = 3.0
    """The same of a window that has not changed. Benchmark: find."""
    windows_per_s: float = 60.0
    """Windows that a stream is searched in in a second, at most. Benchmark: find."""
    changed_levels: float = 10.0
    """Change of a small part's mean brightness, levels, that is more than noise. Benchmark: find."""
    least_score: float = 0.4
    """Detector score, 0..1, in a window of a picture from which a second look follows. Benchmark: find."""
    least_stream_score: float = 0.5
    """The same in a stream, which is searched again and again. Benchmark: find."""
    same_detection_share: float = 0.5
    """Detections closer than this share of the larger size are of one face. Not measured alone."""
    look_zooms: tuple[float, ...] = (1.0, 1.5)
    """Sizes of a face that are tried, of the detected one: of faces that fill the picture the detector sees
    the upper half. Benchmark: find."""
    close_up_share: float = 0.25
    """Size of a detection, of the picture's shorter side, from which it may be the eyes of a close-up.
    Benchmarks: photos, empty."""
    close_up_zoom: float = 2.0
    """Size of the face that is tried then, of the detected one. Benchmarks: photos, empty."""
    glance_score: float = 0.05
    """Aligner score, 0..1, of the first looks at a detection, below which no more follow.
    Benchmark: find."""
    face_score: float = 0.99
    """Mean aligner score, 0..1, from which a detection is a new face. Benchmarks: find, empty."""
    large_face: float = 0.25
    """Size of a large face, of the picture's shorter side. Benchmark: empty."""
    large_face_score: float = 0.9
    """The same score for a large face. Benchmarks: photos, empty."""
    sure_face: float = 0.995
    """The same from which other detections of the face are left out, from which a rolled face is one, and
    from which a face can be confirmed or its vague mask taken off. Benchmark: empty."""
    followed_face: float = 0.5
    """The same from which a followed face still is one. Benchmark: find."""
    least_mask: float = 0.5
    """Probability of a mask, 0..1, from which a face without landmarks is one. Benchmark: find."""
    sure_mask: float = 0.95
    """The same from which a face that the landmark model recognises is confirmed, and from which a mask
    that is vague to the segmenter is taken off. Benchmarks: photos, bare."""
    landmark_presence: float = 0.01
    """Presence score, 0..1, from which the landmark model's points are used: masks lower it.
    Not measured alone."""
    sure_presence: float = 0.5
    """Presence score, 0..1, from which the landmark model's points need no second opinion.
    Not measured alone."""
    least_face_px: float = 28.0
    """Picture px: a smaller detection is no face. Benchmark: empty."""
    confirming_presence: float = 0.8
    """Presence score, 0..1, that a confirmed face has, as it is and mirrored. Benchmark: empty."""
    examined_a_frame: int = 2
    """Detections of a stream's frame that are examined. Benchmark: find."""
    refused_s: float = 0.3
    """Seconds for which a detection that was no face is not examined again. Not measured alone."""
    most_shared: float = 0.5
    """Share of the smaller of two boxes that lies in the other one from which both are of one face.
    Benchmark: find."""
    same_face_share: float = 0.5
    """Two detections are one face if closer than this share of the larger size. Not measured alone."""


@dataclass(frozen=True)
class TrackSettings:
    """How faces are followed: how often they are detected, and how long a track lives."""

    detection_interval_s: float = 0.095
    """Seconds from one look at a followed face to the next: every third frame at 25 and at 30 frames/s.
    Benchmarks: live, stability."""
    faces_per_look: int = 8
    """So many followed faces share one look a frame; for more there are more looks. Not measured alone."""
    replacing_ratio: float = 1.5
    """Times the size of the smallest followed face from which a new one takes its place where there is no
    room. Not measured alone."""
    most_doubts: int = 2
    """Checks in a row after which something that is neither recognised nor masked is no face.
    Not measured alone."""
    agreeing_looks: int = 2
    """Looks in a row that must find a large face without landmarks again, as surely as a new one, before it
    is followed. Benchmark: find."""
    most_outside: float = 0.3
    """Distance of the eyes from the frame, in sizes of the face, up to which it is in view.
    Not measured alone."""
    undetected_s: float = 1.0
    """Seconds for which a face that the networks do not find again is followed by optical flow alone.
    Benchmark: find."""
    gate: float = 0.6
    """A detection farther than this from the predicted place, in face sizes, is another face.
    Benchmark: stability."""
    gate_per_s: float = 1.5
    """By so much, in face sizes, that distance grows for each second out of sight. Benchmark: stability."""
    least_size_ratio: float = 0.4
    """A detection is another face if the smaller size is below this share of the larger.
    Benchmark: stability."""
    shown_unseen_s: float = 5.5 / 30
    """Seconds for which a face out of sight is still shown where it was. Benchmark: stability."""
    remembered_s: float = 1.2
    """Seconds for which a face out of sight keeps its number. Benchmark: stability."""
    remembered_hits: int = 3
    """Frames in which a face was found from which its number is remembered. Not measured alone."""
    check_every_n: int = 15
    """A followed face is examined more closely in each n-th frame in which it is found.
    Not measured alone."""
    scene_cut_levels: float = 30.0
    """Mean change of a frame, levels, from which it begins another scene; a hand before the camera or a
    fast pan stays below. Not measured alone."""
    flow_least_share: float = 0.6
    """Share of the points that optical flow must find and that must agree. Not measured alone."""
    flow_most_error_px: float = 1.5
    """Px of the shrunk frame by which a point may miss the common motion. Not measured alone."""
    flow_most_zoom: float = 1.1
    """Change of size from one frame to the next from which flow has lost the face. Not measured alone."""
    min_cutoff_hz: float = 1.5
    """Cut-off frequency, Hz, of the one-euro filter for a face at rest; lower is calmer.
    Not measured alone."""
    speed_coefficient: float = 0.15
    """Hz by which that rises for each px/s of motion; higher lags less (the filter's beta).
    Not measured alone."""


@dataclass(frozen=True)
class SegmentSettings:
    """What counts as mask, when one is worn, when it is segmented anew, and which window the crop shows."""

    begin_confirmed: MaskMeasures = MaskMeasures(0.05, 0.70, 0.08, 0.4)
    """A mask is taken for worn from these values on, on a face that the landmark model confirms.
    Below that confidence a mask is segmented in part, and the rest would stay. Benchmarks: photos, bare."""
    begin_detected: MaskMeasures = MaskMeasures(0.05, 0.76, 0.2, 0.7)
    """The same on a face that was only detected. Benchmarks: photos, bare, empty."""
    begin_doubtful: MaskMeasures = MaskMeasures(0.05, 0.93, 0.2, 2.0)
    """The same on a doubtful face (`behind_share`, `small_share`). Benchmarks: photos, bare, empty."""
    begin_vague: MaskMeasures = MaskMeasures(0.1, 0.0, 0.8, 0.0)
    """The same of the vague pixels of a mask of which only the segmenter is not sure; beards lie lower.
    Benchmarks: photos, kinds."""
    go_on: MaskMeasures = MaskMeasures(0.035, 0.65, 0.0, 0.0)
    """A worn mask stays worn while it reaches these values (hysteresis). Benchmark: stability."""
    behind_share: float = 0.7
    """A face smaller than this share of the largest one is in the background: doubtful. Benchmark: bare."""
    most_larger: float = 2.0
    """Times the size of the largest confirmed face above which one that is not confirmed is doubtful.
    Benchmarks: find, photos."""
    small_share: float = 0.3
    """An unconfirmed face smaller than this share of the picture's shorter side is doubtful.
    Not measured alone."""
    interval_s: float = 0.095
    """Seconds from one segmentation to the next while one face looks the same. Benchmark: live."""
    interval_per_face_s: float = 0.045
    """Seconds more for each further face, so that four faces keep up. Benchmark: live."""
    sure_probability: float = 0.5
    """Mask probability, 0..1, above which a pixel is sure to be mask. Not measured alone."""
    vague_probability: tuple[float, float] = (0.1, 0.9)
    """Mask probabilities between which a pixel is vague. Not measured alone."""
    faint_probability: float = 0.2
    """Mask probability above which a pixel is mask if connected to sure ones (ear loops).
    Not measured alone."""
    line_probability: float = 0.02
    """The same for a pixel on a thin line that the crop itself shows. Not measured alone."""
    line_levels: float = 35
    """Levels by which such a line is brighter or darker than its surroundings. Not measured alone."""
    least_mask_share: float = 0.01
    """Share of the crop that must be sure for there to be a mask. Not measured alone."""
    least_part_share: float = 0.001
    """Share of the crop that must be sure in each connected part of a mask. Not measured alone."""
    most_pinhole_px: int = 60
    """Crop px: a gap in the hole up to this area is filled. Not measured alone."""
    most_gap_px: int = 450
    """Crop px: a gap inside the mask's opening, where no cheek shows, up to which it is mask.
    Benchmark: outlines."""
    hole_margin_px: int = 3
    """Crop px by which the hole exceeds the mask, for its edge and contact shadow. Not measured alone."""
    eye_margin_px: int = 2
    """The same between the lids of an eye, of sure mask pixels alone. Benchmark: sheet."""
    grown_px: int = 5
    """Crop px from the mask up to which pixels of its colour are added. Not measured alone."""
    grown_contrast_levels: float = 40.0
    """Levels by which mask and surroundings must differ for that. Not measured alone."""
    grown_nearness: float = 0.6
    """A pixel is added if its distance from the mask's colour is below this share of that from the colour
    beyond. Not measured alone."""
    cloth_below_px: float = 35.0
    """Canonical crop px below the chin from which on a mask may be cloth that goes on: masks that are worn
    loosely end before 50. Benchmarks: photos, kinds."""
    least_cloth_px: float = 1000.0
    """Area of a mask below that, canonical crop px, from which it is such cloth. Benchmarks: photos,
    kinds."""
    outline_margin_px: float = 9.0
    """Canonical crop px round the face's outline up to which such cloth is taken off.
    Benchmark: kinds."""
    smoothing_s: float = 0.10
    """Time constant, seconds, of the low-pass on mask probabilities. Benchmark: stability."""
    rise_at_once: float = 0.3
    """Probability up to which a pixel rises without smoothing: moving ear loops. Not measured alone."""
    put_on_s: float = 0.04
    """Seconds for which a mask must be seen until it counts as worn (hysteresis). Benchmark: stability."""
    taken_off_s: float = 0.085
    """Seconds for which no mask must be seen until none counts as worn. Benchmark: stability."""
    scene_cut_levels: float = 40.0
    """Mean change of a crop, levels, from which it is of another scene. Not measured alone."""
    still_levels: float = 16.0
    """Change of a small part of the crop, levels, from which its mask is segmented in one pose alone; with
    no change the mean of both poses is taken. Benchmark: stability."""
    moving_levels: float = 8.0
    """Mean change outside the mask, levels, up to which a mask is kept. Benchmark: stability."""
    edge_levels: float = 22.0
    """90th percentile of the change along the mask's edge, levels, up to which it is kept: an edge that
    moves by one crop px changes by about 25. Benchmark: stability."""
    registered_edge_levels: float = 40.0
    """The same after mask registration: the rest is resampling and what lies beyond. Not measured alone."""
    spot_levels: float = 40.0
    """98th percentile of the change on the mask, levels, up to which it is kept. Benchmark: stability."""
    wait_factor: float = 1.5
    """Times the usual change that a face may have in a frame in which another one was segmented.
    Benchmark: live."""
    most_shift_px: float = 3.0
    """Px of the halved crop that a registered mask may have moved. Not measured alone."""
    most_turn: float = 0.06
    """Change of scale, or radians of rotation, that a registered mask may have made. Not measured alone."""
    least_registered_px: int = 60
    """Px of the halved crop that a mask must have to be registered. Not measured alone."""
    least_cut_px: int = 6
    """Mask px at the crop's side from which the crop cuts the mask off. Not measured alone."""
    least_cut_loop_px: int = 2
    """The same in the canonical crop, where ear loops count too. Not measured alone."""
    window_step: float = 0.8
    """Factor by which each widening shrinks the face in its crop. Not measured alone."""
    least_window_scale: float = 0.6
    """Scale of the widest window: the generator can use no wider one. Not measured alone."""
    least_window_gain: float = 1.06
    """Factor by which a closer window must enlarge the face to be tried. Not measured alone."""
    moved_px: tuple[float, float] = (8.0, 48.0)
    """A crop is moved to a mask between these distances, canonical crop px; a window moved by less is as
    good as the canonical one. Not measured alone."""
    least_moved_px: int = 300
    """Area of a mask that a crop is moved to, canonical crop px. Not measured alone."""
    closer_window_every_n: int = 4
    """In each n-th segmentation with a wider window, closer ones are tried. Not measured alone."""
    kept_area_share: float = 0.9
    """Share of the mask's area that a closer window must still show. Not measured alone."""


@dataclass(frozen=True)
class InpaintSettings:
    """What counts as a plain background, and how much of an earlier fill is blended into a new one."""

    plain_levels: float = 4.0
    """Standard deviation, levels, of the colours in a cell of a plain background.
    Benchmarks: halo, sheet."""

    blend_s: float = 0.15
    """Time constant, seconds, of the low-pass on fills while nothing moves. Benchmark: stability."""
    still_levels: float = 1.5
    """Mean change of the crop, levels, up to which the earlier fill counts in full. Not measured alone."""
    moving_levels: float = 8.0
    """The same from which the earlier fill does not count at all. Not measured alone."""
    same_levels: float = 10.0
    """Levels between two fills from which on the new one counts more. Not measured alone."""
    other_levels: float = 45.0
    """Levels between two fills from which on the new one counts alone. Not measured alone."""


@dataclass(frozen=True)
class CompositeSettings:
    """Where a fill is shown, and how sharp and grainy it is."""

    feather_px: float = 2.0
    """Crop px from the hole's edge from which on the fill alone is shown. Benchmark: realism."""
    least_opacity: float = 1 / 20
    """Opacity below which the frame's own pixel stays. Not measured alone."""
    many_faces: int = 3
    """From so many filled faces on, their grain is renewed in turns. Not measured alone."""
    grain_turns: int = 2
    """Frames in which each of many faces has its turn: grain that changes 15 times a second looks as
    alive as at 30. Not measured alone."""
    refined_scale: float = 1.0
    """Frame px for each crop px from which a fill is refined. Benchmark: sheet."""
    grain_scale: float = 1.0
    """Frame px for each crop px up to which a fill gets no grain. Not measured alone."""
    full_grain_scale: float = 1.5
    """Frame px for each crop px from which it gets all of its grain. Not measured alone."""
    grain_skin_px: int = 80
    """Crop px of bare skin below which there is no grain. Not measured alone."""
    full_grain_skin_px: int = 250
    """Crop px of bare skin from which there is all of the grain. Benchmark: realism."""
    structure_factor: float = 6.5
    """Times plain skin's energy from which detail is a wrinkle or hair, no grain; one less counts in full.
    Benchmark: realism."""
    grain_strength: float = 1.12
    """Strength of the grain, of that measured on the skin. Benchmark: realism."""
    most_grain_levels: float = 4.0
    """Standard deviation of the grain, levels, at most: more is stubble, a fringe or a cap taken for skin.
    Not measured alone."""
    edge_warp: float = 2.5
    """Distances of an edge's sides by which they move towards it: 2 makes it three times as narrow.
    Benchmark: realism."""
    most_edge_warp_px: float = 3.0
    """Crop px that a pixel moves at most. Not measured alone."""
    edge_variance_px2: float = 10.0
    """Variance of the Gaussian that a contour of a fill is like after two blurs. Not measured alone."""
    soft_edge_levels: float = 3.0
    """Levels a crop px, on a square-root scale, up to which an edge is shading and stays. Not measured
    alone."""
    strong_edge_levels: float = 7.0
    """The same from which an edge is a contour and is warped in full. Not measured alone."""


@dataclass(frozen=True)
class ThreadSettings:
    """Which steps share a thread. Reading, and showing or encoding, have a thread each besides."""

    live: tuple[tuple[str, ...], ...] = (
        ("detect_and_track", "segment"),
        ("inpaint", "composite"),
    )
    """More threads are no faster on two cores, and a frame waits more often. Benchmark: live."""
    video: tuple[tuple[str, ...], ...] = (
        ("detect_and_track",),
        ("segment", "inpaint"),
        ("composite",),
    )
    """These, decoding and encoding take about as long as one another on two cores. Benchmark: file-fps."""


@dataclass(frozen=True)
class DeliverySettings:
    """How long lines of the feed wait for a receiver, and how many are sent at once."""

    queue_bytes: int = 256 * 1024**2
    """Bytes of lines that wait on disk while a receiver is away, at most. Not measured alone."""
    kept_days: float = 30.0
    """Days after which the queue of a feed that nobody continued is removed. Not measured alone."""
    commit_s: float = 0.2
    """Seconds after which lines are on disk even if nothing is sent. Not measured alone."""
    batch_lines: int = 100
    """Lines that are sent at once, at most. Not measured alone."""
    batch_bytes: int = 1024**2
    """Bytes of lines that are sent at once, at most; a longer line goes alone. Not measured alone."""
    first_delay_s: float = 0.5
    """Seconds from a failed attempt to the second one; each further delay is twice the one before.
    Not measured alone."""
    most_delay_s: float = 15.0
    """Seconds between two attempts, at most. Not measured alone."""
    most_retry_after_s: float = 300.0
    """Seconds that a server may ask to wait by Retry-After. Not measured alone."""
    timeout_s: float = 10.0
    """Seconds for which a connection or an answer is waited for. Not measured alone."""
    unread_bytes: int = 8 * 1024**2
    """Bytes that a socket receiver's operating system may hold unread where it does not tell.
    Not measured alone."""
    farewell_s: float = 5.0
    """Seconds for which a socket receiver may take to close after the last line. Not measured alone."""


DETECT = DetectSettings()
TRACK = TrackSettings()
SEGMENT = SegmentSettings()
INPAINT = InpaintSettings()
COMPOSITE = CompositeSettings()
THREADS = ThreadSettings()
DELIVERY = DeliverySettings()
