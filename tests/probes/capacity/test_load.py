import asyncio

from probes.capacity.load import send_slice

DUE = [(number, 1) for number in range(50)]


async def test_a_train_is_sent_whole_and_in_order_though_the_kernel_takes_a_rest() -> None:
    taken: list[int] = []
    calls = 0

    def send(number: int, _: int) -> bool:
        nonlocal calls
        calls += 1
        if calls % 3 == 0:
            return False
        taken.append(number)
        return True

    assert await send_slice(DUE, send, whole=True) == 50
    assert taken == list(range(50))


async def test_a_paced_load_leaves_what_the_kernel_does_not_take() -> None:
    taken: list[int] = []
    sent = await send_slice(DUE, lambda number, _: len(taken) < 7 and not taken.append(number), whole=False)  # type: ignore[func-returns-value]
    assert (sent, taken) == (7, list(range(7)))


async def test_a_kernel_that_never_takes_any_ends_the_train() -> None:
    assert await send_slice(DUE, lambda number, order: False, whole=True) == 0


async def test_others_get_their_turn_within_a_train() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def slow(_: int, __: int) -> bool:
        sum(range(20_000))  # some 0.4 ms, as a busy kernel takes
        return True

    others = asyncio.create_task(other())
    await send_slice(DUE, slow, whole=True)
    others.cancel()
    assert turns >= 3
