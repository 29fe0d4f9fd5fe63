"""Attacks: search the ball around each image for one that the model gets wrong.

Every attack is called in the same way, ``attack(model, images, labels, eps)``, and its
answer is checked by the same code (see `Attack`): images in the ball, and success only
where the model's own prediction says so.
"""

from bnnkit.attacks.ball import Ball, clip_to_ball
from bnnkit.attacks.base import Attack, AttackResult
from bnnkit.attacks.exact import Exact, JointExact, VoteExact
from bnnkit.attacks.gradient import FGSM, PGD
from bnnkit.attacks.noise import RandomNoise

__all__ = [
    "FGSM",
    "PGD",
    "Attack",
    "AttackResult",
    "Ball",
    "Exact",
    "JointExact",
    "RandomNoise",
    "VoteExact",
    "clip_to_ball",
]
