# SPDX-License-Identifier: GPL-3.0-or-later
"""Round trips of messages, and what reading does with cut, damaged and hostile bytes."""

import dataclasses
import io

import numpy as np
import pytest

from engine.contract import final_frames, framing, message_records, messages
from engine.contract.errors import UserError
from engine.contract.messages import PROTOCOL_VERSION, TakeEnd, TakeHeader
from engine.contract.sentences import Sentence
from engine.contract.settings import CaptureSettings
from engine.contract.take import SettledTakeReader, TakeReader, TakeWriter, last_message

SETTINGS = CaptureSettings(source="clip.mp4", take="clip.h3r", end=30)


def make_header() -> messages.TakeHeader:
    return messages.TakeHeader(
        messages.PROTOCOL_VERSION, "test", (640, 480), 29.97, None, "small", "mannequin", SETTINGS
    )


def make_frame(people: int = 2, seed: int = 0) -> messages.Frame:
    random = np.random.default_rng(seed)
    mask = random.random((12, 17)) > 0.5
    return messages.Frame(
        index=3,
        source_frame=6,
        time_s=0.25,
        focal_px=700.5,
        world_from_camera=np.eye(4),
        principal_point_px=np.array([320.0, 240.0]),
        track_id=np.arange(people),
        score=random.random(people),
        pose_axis_angle=random.normal(size=(people, 55, 3)),
        betas=random.normal(size=(people, 10)),
        expression=random.normal(size=(people, 10)),
        translation=random.normal(size=(people, 3)),
        head_point=random.normal(size=(people, 3)),
        head_px=random.normal(size=(people, 2)),
        mask_size=(17, 12),
        mask_box_px=(-0.5, -0.5, 639.5, 479.5),
        mask_bits=messages.pack_mask(mask),
    )


def make_points() -> messages.ScenePoints:
    return messages.ScenePoints(3, False, np.ones((5, 3)), np.full((5, 3), 200), np.full(5, 2.5))


def make_final(frame: messages.Frame, rows=slice(None), seed: int = 9) -> messages.FinalFrame:
    """What a pass over the whole clip says of some of a frame's people."""
    random = np.random.default_rng(seed)
    people = len(frame.track_id[rows])
    return messages.FinalFrame(
        index=frame.index,
        focal_px=900.25,
        world_from_camera=np.eye(4) + np.diag([1.0, 0, 0], 1),
        principal_point_px=np.array([321.0, 241.0]),
        track_id=frame.track_id[rows],
        pose_axis_angle=random.normal(size=(people, 55, 3)),
        betas=random.normal(size=(people, 10)),
        expression=random.normal(size=(people, 10)),
        translation=random.normal(size=(people, 3)),
        head_point=random.normal(size=(people, 3)),
    )


def make_summary() -> messages.CameraSummary:
    return messages.CameraSummary(
        motion="moving",
        refined=True,
        note="",
        residual_px=0.4,
        ray_angle_deg=2.5,
        floor_known=True,
        up=np.array([0.0, -1.0, 0.0]),
        floor_height=1.5,
    )


def make_backdrop() -> messages.Backdrop:
    return messages.Backdrop(
        center=np.zeros(3),
        direction=np.ones((3, 4, 3)) / np.sqrt(3),
        picture=np.full((6, 8, 3), 90),
        up=np.array([0.0, -1.0, 0.0]),
        forward=np.array([0.0, 0.0, 1.0]),
        floor_height=1.5,
        card_distance=8.0,
        is_round=False,
    )


EVERY_KIND = [
    make_header(),
    dataclasses.replace(make_header(), person_names=((0, "Anna"), (3, "Bo\u0308")), hidden_people=(4, 7)),
    make_frame(),
    make_frame(people=0),
    make_final(make_frame()),
    messages.FocalLength(900.25, 0.12, "people"),
    messages.CameraMotion(7, "turning"),
    make_summary(),
    make_backdrop(),
    make_points(),
    messages.PointMap(3, np.ones((4, 6, 3)), np.ones((4, 6, 2)), np.zeros((4, 6, 3)), np.ones((4, 6))),
    messages.TakeEnd("complete", 4),
    messages.Status("loading", "Loading"),
    messages.Status.of("loading", Sentence("Loading {model}", model="896L"), 0.5),
    messages.FrameImage(3, np.arange(4 * 6 * 3).reshape(4, 6, 3)),
    messages.Failure("a", "b", "c"),
    messages.StartCapture(SETTINGS),
    messages.CancelCapture(),
    messages.Shutdown(),
]


def assert_same(left: object, right: object) -> None:
    assert type(left) is type(right)
    for field in dataclasses.fields(left):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if "dtype" in field.metadata:
            np.testing.assert_array_equal(np.asarray(a, dtype=field.metadata["dtype"]), b)
        else:
            assert a == b


def to_bytes(*all_messages: messages.Message) -> bytes:
    stream = io.BytesIO()
    for message in all_messages:
        framing.write_record(stream, message_records.encode(message))
    return stream.getvalue()


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: message.kind)
def test_every_message_survives_the_wire(message):
    stream = io.BytesIO(to_bytes(message))
    assert_same(message, message_records.decode(framing.read_record(stream)))
    assert framing.read_record(stream) is None


def test_every_message_kind_is_tested():
    assert {type(message) for message in EVERY_KIND} == set(message_records.MESSAGE_TYPES.values())


def test_a_status_can_be_translated_on_the_other_side():
    sent = messages.Status.of("loading", Sentence("Loading {model}", model="Human3R 896L"), 0.25)
    arrived = message_records.decode(framing.read_record(io.BytesIO(to_bytes(sent))))
    assert (arrived.sentence, arrived.sentence.template) == ("Loading Human3R 896L", "Loading {model}")
    assert messages.Status.of("loading", "Loading").sentence == "Loading"


def test_a_final_frame_replaces_the_camera_and_the_people_that_it_has():
    frame = make_frame(people=3)
    final = make_final(frame, [2, 0])
    merged = final_frames.with_final(frame, final)
    assert merged.focal_px == 900.25 and merged.time_s == frame.time_s
    np.testing.assert_array_equal(merged.world_from_camera, final.world_from_camera)
    np.testing.assert_array_equal(merged.betas, [final.betas[1], frame.betas[1], final.betas[0]])
    np.testing.assert_array_equal(merged.track_id, frame.track_id)
    np.testing.assert_array_equal(merged.mask_bits, frame.mask_bits)


def test_a_settled_take_has_final_values_and_a_plain_one_the_live_ones(tmp_path):
    frames = [dataclasses.replace(make_frame(seed=seed), index=seed) for seed in range(3)]
    finals = [make_final(frames[1])]
    path = tmp_path / "a.h3r"
    with TakeWriter(path) as take:
        for message in (make_header(), *frames, *finals, messages.TakeEnd("complete", 3)):
            take.write(message)
    with TakeReader(path) as plain, SettledTakeReader(path) as settled:
        assert [message.kind for message in plain] == ["frame"] * 3 + ["final_frame", "end"]
        read = list(settled)
    assert [message.kind for message in read] == ["frame"] * 3 + ["end"]
    assert [frame.focal_px for frame in read[:3]] == [700.5, 900.25, 700.5]
    np.testing.assert_allclose(read[1].translation, finals[0].translation, atol=1e-6)
    assert settled.problem is None


@pytest.mark.parametrize("protocol", [1, 2])
def test_takes_of_earlier_protocols_are_read(protocol):
    record = message_records.encode(dataclasses.replace(make_header(), protocol=protocol))
    assert message_records.decode(record).protocol == protocol


def test_a_focal_length_of_unknown_origin_is_refused():
    with pytest.raises(framing.CorruptRecord):
        message_records.decode(message_records.encode(messages.FocalLength(900.0, 0.1, "dice")))


@pytest.mark.parametrize(
    "message",
    [
        messages.CameraMotion(0, "flying"),
        dataclasses.replace(make_summary(), motion="flying"),
        dataclasses.replace(make_summary(), note="bored"),
        dataclasses.replace(make_backdrop(), direction=np.ones((1, 4, 3))),
    ],
)
def test_unknown_words_about_the_camera_and_a_backdrop_without_a_grid_are_refused(message) -> None:
    with pytest.raises(framing.CorruptRecord):
        message_records.decode(message_records.encode(message))


def test_mask_round_trip():
    frame = make_frame(seed=4)
    mask = messages.unpack_mask(frame)
    assert mask.shape == (12, 17)
    np.testing.assert_array_equal(messages.pack_mask(mask), frame.mask_bits)


@pytest.mark.parametrize(
    "change",
    [{"person_names": [[0]]}, {"person_names": [["0", "Anna"]]}, {"hidden_people": 3}, {"hidden_people": [0.5]}],
)
def test_a_header_with_impossible_people_is_refused(change):
    record = message_records.encode(make_header())
    record.values.update(change)
    with pytest.raises(framing.CorruptRecord):
        message_records.decode(record)


def test_wrong_shapes_are_refused_when_written():
    with pytest.raises(ValueError, match="betas has shape"):
        message_records.encode(dataclasses.replace(make_frame(people=2), betas=np.zeros((3, 10))))


def test_a_take_cut_anywhere_reads_up_to_the_last_good_record(tmp_path):
    parts = [make_header(), make_frame(), make_points(), messages.TakeEnd("complete", 1)]
    ends = np.cumsum([len(to_bytes(part)) for part in parts])
    data = to_bytes(*parts)
    for cut in [*range(int(ends[0]), len(data), 37), len(data) - 1, len(data)]:
        path = tmp_path / "cut.h3r"
        path.write_bytes(data[:cut])
        with TakeReader(path) as take:
            read = list(take)
        assert len(read) == int(np.sum(ends <= cut)) - 1
        assert (take.problem is None) == (cut == len(data))


def test_a_flipped_bit_anywhere_is_noticed(tmp_path):
    head, body = to_bytes(make_header()), to_bytes(make_frame(), messages.TakeEnd("complete", 1))
    random = np.random.default_rng(1)
    for position in random.integers(0, len(body), 200):
        damaged = bytearray(body)
        damaged[position] ^= 1 << int(random.integers(8))
        path = tmp_path / "damaged.h3r"
        path.write_bytes(head + bytes(damaged))
        with TakeReader(path) as take:
            list(take)
        assert take.problem is not None


def test_random_bytes_never_do_more_than_raise():
    random = np.random.default_rng(2)
    valid = to_bytes(make_frame())
    for _ in range(300):
        data = bytearray(valid)
        start = int(random.integers(len(data) - 40))
        data[start : start + 40] = random.bytes(40)
        with pytest.raises(framing.CorruptRecord):
            message_records.decode(framing.read_record(io.BytesIO(bytes(data))))


def test_another_protocol_version_is_refused_with_a_remedy(tmp_path):
    path = tmp_path / "old.h3r"
    path.write_bytes(to_bytes(dataclasses.replace(make_header(), protocol=99)))
    with pytest.raises(UserError) as error:
        TakeReader(path)
    assert error.value.code == "protocol-mismatch" and error.value.remedy


def test_something_else_is_not_a_take(tmp_path):
    (tmp_path / "video.h3r").write_bytes(b"\0" * 100)
    for path in (tmp_path / "video.h3r", tmp_path / "absent.h3r"):
        with pytest.raises(UserError) as error:
            TakeReader(path)
        assert error.value.code == "take-unreadable"


def test_writer_resumes_at_an_offset(tmp_path):
    path = tmp_path / "take.h3r"
    with TakeWriter(path) as writer:
        writer.write(make_header())
        writer.write(make_frame(seed=1))
        offset = writer.offset
        writer.write(make_frame(seed=2))
    with TakeWriter(path, offset=offset) as writer:
        writer.write(messages.TakeEnd("complete", 1))
    assert path.read_bytes() == to_bytes(make_header(), make_frame(seed=1), messages.TakeEnd("complete", 1))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"stride": 0}, "bad-setting"),
        ({"end": 0}, "bad-setting"),
        ({"source": ""}, "bad-setting"),
        ({"detection_threshold": 1.5}, "bad-setting"),
        ({"device": "abacus"}, "bad-setting"),
        ({"reset_interval": 1}, "bad-setting"),
    ],
)
def test_bad_settings_are_refused(change, code):
    with pytest.raises(UserError) as error:
        dataclasses.replace(SETTINGS, **change)
    assert error.value.code == code and next(iter(change)) in error.value.message


@pytest.mark.parametrize(
    "values",
    [
        None,
        {"source": "a"},
        {"source": "a", "take": "b", "stride": "2"},
        {"source": "a", "take": "b", "ttt3r": 1},
        {"source": "a", "take": "b", "colour": 1},
    ],
)
def test_settings_from_json_check_names_and_types(values):
    with pytest.raises(UserError):
        CaptureSettings.from_json(values)


def test_a_take_s_last_message_is_found_without_reading_the_others(tmp_path):
    path = tmp_path / "a.h3r"
    settings = CaptureSettings(source="a.mp4", take="a.h3r")
    header = TakeHeader(PROTOCOL_VERSION, "", (2, 2), 25.0, 5, "m", "mannequin", settings)
    with TakeWriter(path) as take:
        take.write(header)
    assert last_message(path) == header
    with TakeWriter(path, path.stat().st_size) as take:
        take.write(TakeEnd("failed", 1))
        take.write(TakeEnd("complete", 2))
    whole = path.read_bytes()
    assert last_message(path) == TakeEnd("complete", 2)
    for damaged in (whole[:-1], whole[:-60], whole + b"H3R1", whole[:-1] + bytes([whole[-1] ^ 1]), whole + bytes(20)):
        path.write_bytes(damaged)
        assert last_message(path) is None


def test_a_writer_asks_before_each_record_whether_it_may(tmp_path):
    asked = []
    with TakeWriter(tmp_path / "a.h3r", check=lambda: asked.append(1)) as take:
        take.write(TakeEnd("failed", 1))
        take.write(TakeEnd("complete", 2))
    assert len(asked) == 2
