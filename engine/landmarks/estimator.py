class LandmarksModel:
    pass
