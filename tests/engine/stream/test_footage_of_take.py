# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening the footage that a take names, which may be a take from elsewhere."""

import pytest

from engine.contract.errors import UserError
from engine.contract.messages import PROTOCOL_VERSION, TakeHeader
from engine.contract.settings import CaptureSettings
from engine.video.footage_of_take import settings_with_footage

from .footage_files import write_video


@pytest.mark.parametrize("source", ["\\\\host\\share\\shot.mp4", "//host/share/shot.mp4"])
def test_footage_on_another_computer_is_opened_where_the_user_says_so(tmp_path, source):
    header = TakeHeader(
        PROTOCOL_VERSION, "test", (96, 64), 25.0, None, "m", "mannequin", CaptureSettings(source=source, take="a"), ""
    )
    with pytest.raises(UserError) as caught:
        settings_with_footage(header, None)
    assert caught.value.code == "footage-remote" and source in str(caught.value.message)
    given = write_video(tmp_path / "shot.mp4", 3)
    assert settings_with_footage(header, str(given)).source == str(given)
