from av import CodecContext, Packet

from lab.services.webrtc_clips import HEIGHT, VIDEO_CLIP_S, VIDEO_FRAMES_PER_S, WIDTH, audio_clip, video_clip


def test_the_video_clip_begins_with_its_one_key_frame_and_all_of_it_is_pictures() -> None:
    clip = video_clip()
    assert [frame[0] & 1 for frame in clip.frames] == [0, *[1] * (len(clip.frames) - 1)]  # RFC 6386, 9.1: 0 is key
    assert len(clip.frames) == VIDEO_CLIP_S * VIDEO_FRAMES_PER_S
    decoder = CodecContext.create("libvpx", "r")
    pictures = [picture for frame in clip.frames for picture in decoder.decode(Packet(frame))]
    assert {(picture.width, picture.height) for picture in pictures} == {(WIDTH, HEIGHT)}
    assert len({bytes(picture.planes[0]) for picture in pictures}) > len(pictures) / 2, "something moves"


def test_the_audio_clip_is_frames_of_20_ms_of_sound() -> None:
    clip = audio_clip()
    decoder = CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout, decoder.format = 48_000, "mono", "s16"
    sounds = [sound for frame in clip.frames for sound in decoder.decode(Packet(frame))]
    assert {sound.samples for sound in sounds[1:]} == {clip.ticks_per_frame} == {960}
    assert any(any(bytes(sound.planes[0])) for sound in sounds)
    assert max(map(len, clip.frames)) < 100
