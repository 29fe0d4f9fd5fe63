"""What waits for itself, or asks a question that cannot be answered, is refused before any work."""

import pytest

from bnnkit import study

REAL = ('architecture = "16"\nquant_step = 0.5', 'kind = "real"\nhidden = [8]')
WRONG = {
    "a circle": (
        [('run = "plain"', 'run = "live"')],
        "[runs.live] needs [pools.judge] needs [runs.live]: they wait for each other",
    ),
    "a pool without the source": (
        [("rounds = 2", 'rounds = 2\npool = "judge"')],
        '[runs.live] source = ["pool"] and pool belong together',
    ),
    "a source without the pool": ([('["live"]', '["pool"]')], "belong together"),
    "two starts": (
        [("start = 200", 'start = 200\nstart_pool = "judge"')],
        "[runs.live] has start and start_pool",
    ),
    "real-valued and resistance": ([REAL], "[measures.curve] resistance is about binarized"),
    "real-valued and exact, live": (
        [REAL, ('["live"]\nattack = "pgd"', '["live"]\nattack = "joint"')],
        "[runs.live] asks the attack 'joint' about real-valued networks",
    ),
    "real-valued and an exact judge": (
        [REAL, ('judges = ["judge"]', 'judges = ["exact"]')],
        "[runs.live] asks the attack 'exact'",
    ),
    "real-valued and an exact pool": (
        [REAL, ('attack = "pgd"\neps = 0.3\nsplit', 'attack = "vote"\neps = 0.3\nsplit')],
        "[pools.judge] asks the attack 'vote'",
    ),
    "a judge that a run has not": (
        [('kind = "rounds"', 'kind = "rounds"\njudge = "pgd"')],
        "[measures.rounds] judge 'pgd' is none of those of [runs.live]: judge",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_a_sentence(case, written):
    replacements, said = WRONG[case]
    with pytest.raises(ValueError) as error:
        study.load(written(*replacements))
    assert said in str(error.value)
