"""What needs what: runs need pools, pools need runs; and what goes with what."""

from bnnkit._names import nearest
from bnnkit.nn.architectures import parse_architecture
from bnnkit.robust.opponents import numbered
from bnnkit.study.schema import ATTACKS, MODEL, NOISES, RUN

_ONLY = {  # keys of a model that the other kind has not
    "real": ("hidden",),
    "bnn": ("architecture", "quant_step", "mask_decay", "mask_scale"),
}
_NEED_EXACT = ("exact", "joint", "vote")
_BINARIZED = ("resistance", "minimal-eps", "white-box", "eps-matrix")
_BINARIZED += ("similarity", "strip", "weights", "solvers")  # measures


def needed(settings, section, name):
    """The pools that a run needs, or the run that a pool needs: (section, name) pairs."""
    table = settings[section][name]
    if section == "pools":
        return [("runs", table["run"])]
    pools = [table["start_pool"], table["pool"], *table["judges"]]
    return [("pools", pool) for pool in dict.fromkeys(pools) if pool in settings["pools"]]


def check_order(settings, study):
    """Raise ValueError for runs and pools that wait for each other, or lack what they need.

    And for keys that mean nothing beside the others.
    """
    for name in settings["pools"]:
        if name in (*ATTACKS, *NOISES, "clean"):
            raise ValueError(
                f"{study}: [pools.{name}] has the name of an attack, or of the clean images, "
                "beside which it can be a judge; take another one"
            )
    for section in ("runs", "pools"):
        for name in settings[section]:
            _follow(settings, study, [(section, name)])
    for name, model in settings["models"].items():
        other = "real" if model["kind"] == "bnn" else "bnn"
        why = f"kind = {model['kind']!r}; leave it out"
        _check_idle(f"{study}: [models.{name}]", model, MODEL, _ONLY[other], why)
    for name, run in settings["runs"].items():
        _check_run(settings, f"{study}: [runs.{name}]", run)
    for name, pool in settings["pools"].items():
        _check_attack(settings, f"{study}: [pools.{name}]", pool["attack"], pool["run"])
    for name, measure in settings["measures"].items():
        _check_measure(settings, f"{study}: [measures.{name}]", measure)


def _follow(settings, study, path):
    for step in needed(settings, *path[-1]):
        if step in path:
            circle = " needs ".join(f"[{section}.{name}]" for section, name in [*path, step])
            raise ValueError(f"{study}: {circle}: they wait for each other")
        _follow(settings, study, [*path, step])


def _check_run(settings, where, run):
    if ("pool" in run["source"]) != (run["pool"] is not None):
        raise ValueError(f'{where} source = ["pool"] and pool belong together; give both or none')
    if run["start"] is not None and run["start_pool"] is not None:
        raise ValueError(f"{where} has start and start_pool; give one of them")
    for source, keys in (("noise", ("low",)), ("live", ("refill", "attack"))):
        if source not in run["source"]:
            why = f"source = {run['source']}, which has no {source!r}; leave it out"
            _check_idle(where, run, RUN, keys, why)
    judged = _judged(settings, run)
    for name in run["target"]:
        if name not in judged:
            raise ValueError(
                f"{where} target names {name!r}, but what is judged is {', '.join(judged)}"
                f"{nearest(name, judged)}"
            )
    real = _is_real(settings, run)
    asked = [
        *run["judges"],
        *([run["attack"]] if "live" in run["source"] and run["rounds"] else []),
    ]
    for attack in asked:
        if real and attack in _NEED_EXACT:
            raise ValueError(
                f"{where} asks the attack {attack!r} about real-valued networks, which only "
                "binarized ones can answer; take pgd, fgsm or noise"
            )


def _judged(settings, run):
    """The names of the shares that a target can be set for; see `robust.train`."""
    found = ["clean"]
    for name in ("clean", *run["judges"]):
        fixed = name == "clean" or name in settings["pools"]
        found += [name] if fixed or name in ("joint", "vote") else []
        found += numbered(name, run["k"]) if name not in ("joint", "vote") else []
    return list(dict.fromkeys(found))


def _check_idle(where, table, keys, names, why):
    """Raise ValueError for a key that is given and means nothing."""
    for name in names:
        if table[name] != keys[name].default:
            raise ValueError(f"{where} {name} = {table[name]!r} has no effect with {why}")


def _check_attack(settings, where, attack, run):
    if attack in _NEED_EXACT and _is_real(settings, settings["runs"][run]):
        raise ValueError(
            f"{where} asks the attack {attack!r} about the real-valued networks of "
            f"[runs.{run}], which only binarized ones can answer; take pgd, fgsm or noise"
        )


def _check_measure(settings, where, measure):
    kind = measure["kind"]
    if measure.get("question", "first") != "first" and all(
        settings["runs"][run]["k"] == 1 for run in measure["of"]
    ):
        raise ValueError(
            f"{where} question = {measure['question']!r} is about several networks, and its runs "
            "have one each; leave it out, or give a run k > 1"
        )
    if kind in _BINARIZED:
        for run in measure["of"]:
            if _is_real(settings, settings["runs"][run]):
                raise ValueError(
                    f"{where} {kind} is about binarized networks; [runs.{run}] trains "
                    "real-valued ones"
                )
    for run in measure["of"] if kind == "rounds" else ():
        judges = settings["runs"][run]["judges"]
        if measure["judge"] not in (None, *judges):
            raise ValueError(
                f"{where} judge {measure['judge']!r} is none of those of [runs.{run}]: "
                f"{', '.join(judges) or 'nothing judges it'}"
            )
    for run in measure["of"] if kind == "weights" else ():
        model = settings["models"][settings["runs"][run]["model"]]
        layers = len(parse_architecture(model["architecture"]))
        if measure["layer"] >= layers:
            raise ValueError(
                f"{where} layer must be below the {layers} hidden layers of [runs.{run}], "
                f"got {measure['layer']}"
            )
    if kind == "transfer":
        for run in measure["sources"]:
            _check_attack(settings, where, measure["attack"], run)
    if kind == "quantisation" and settings["models"][measure["model"]]["kind"] == "real":
        raise ValueError(f"{where} model must be binarized; real-valued ones have no step")


def _is_real(settings, run):
    return settings["models"][run["model"]]["kind"] == "real"
