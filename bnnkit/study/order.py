"""What needs what: runs need pools, pools need runs; and who can answer which question."""

_NEED_EXACT = ("exact", "joint", "vote")


def needed(settings, section, name):
    """The pools that a run needs, or the run that a pool needs: (section, name) pairs."""
    table = settings[section][name]
    if section == "pools":
        return [("runs", table["run"])]
    pools = [table["start_pool"], table["pool"], *table["judges"]]
    return [("pools", pool) for pool in dict.fromkeys(pools) if pool in settings["pools"]]


def check_order(settings, study):
    """Raise ValueError for runs and pools that wait for each other, or lack what they need."""
    for section in ("runs", "pools"):
        for name in settings[section]:
            _follow(settings, study, [(section, name)])
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


def _check_attack(settings, where, attack, run):
    if attack in _NEED_EXACT and _is_real(settings, settings["runs"][run]):
        raise ValueError(
            f"{where} asks the attack {attack!r} about the real-valued networks of "
            f"[runs.{run}], which only binarized ones can answer; take pgd, fgsm or noise"
        )


def _check_measure(settings, where, measure):
    kind = measure["kind"]
    if kind in ("resistance", "minimal-eps", "white-box"):
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
    if kind == "transfer":
        for run in measure["sources"]:
            _check_attack(settings, where, measure["attack"], run)
    if kind == "quantisation" and settings["models"][measure["model"]]["kind"] == "real":
        raise ValueError(f"{where} model must be binarized; real-valued ones have no step")


def _is_real(settings, run):
    return settings["models"][run["model"]]["kind"] == "real"
