"""The feed for face recognition: one record a face a frame, with aligned crops."""
