"""A study that takes seconds."""

TINY = """
title = "A tiny study"
about = "Two words: a < b."

[data]
name = "digits"
train = 300
test = 60

[models.bnn]
architecture = "16"
quant_step = 0.5
epochs = 2

[runs.plain]
model = "bnn"

[pools.judge]
run = "plain"
attack = "pgd"
eps = 0.3
split = "test"

[runs.live]
model = "bnn"
k = 2
seed = 7
source = ["live"]
attack = "pgd"
eps = 0.3
start = 200
rounds = 2
images_per_round = 30
judges = ["judge"]

[measures.rounds]
kind = "rounds"
of = ["live"]

[measures.curve]
kind = "resistance"
of = ["plain", "live"]
eps = [0.1, 0.3]
images = 10
question = "vote"

[measures.again]
kind = "white-box"
of = ["live"]
eps = 0.3
images = 10
"""
