"""Whether there are as many images as a study asks for: checked when the data is there."""

from bnnkit.nn.architectures import parse_architecture, plan


def check_supply(study, data):
    """Raise ValueError where a study wants more images than there are, or too small ones.

    Parameters
    ----------
    study : Study
    data : Dataset
    """
    for name, pool in study["pools"].items():
        n_images = len(getattr(data, pool["split"]))
        what = f"{pool['split']} images"
        if pool["skip"] >= n_images:
            raise ValueError(
                f"{study.name}: [pools.{name}] skip must be below the {n_images} {what}, "
                f"got {pool['skip']}"
            )
        if pool["size"] is not None:
            left = f"{what} after the {pool['skip']} skipped ones"
            _check_most(study, f"[pools.{name}] size", pool["size"], n_images - pool["skip"], left)
    for name, run in study["runs"].items():
        _check_run(study, name, run, len(data.train), data)
    for name, measure in study["measures"].items():
        if measure.get("image", 0) >= len(data.test):
            raise ValueError(
                f"{study.name}: [measures.{name}] image must be below the {len(data.test)} test "
                f"images, got {measure['image']}"
            )
        for key, split in (("images", "test"), ("size", "train")):
            if key in measure:
                n_images = len(getattr(data, split))
                where = f"[measures.{name}] {key}"
                _check_most(study, where, measure[key], n_images, f"{split} images")


def _check_run(study, name, run, n_train, data):
    where = f"[runs.{name}]"
    if run["start"] is not None:
        _check_most(study, f"{where} start", run["start"], n_train, "training images")
    model = study["models"][run["model"]]
    if model["kind"] == "bnn":
        try:
            plan(parse_architecture(model["architecture"]), data.train.images.shape[1:])
        except ValueError as error:
            raise ValueError(
                f"{study.name}: [models.{run['model']}] architecture "
                f"{model['architecture']!r} does not go with {data.name}: {error}"
            ) from None
    share = run["rounds"] * run["images_per_round"] // len(run["source"])  # of each source
    taking = [source for source in run["source"] if source != "pool"]
    there = [(n_train - (run["start"] or 0), share * len(taking), "training images beside start")]
    if run["pool"] is not None:
        pool = study["pools"][run["pool"]]
        most = pool["size"] or len(getattr(data, pool["split"])) - pool["skip"]
        there.append((most, share, f"images in [pools.{run['pool']}] at most"))
    for left, wanted, what in there:
        if wanted > left:
            raise ValueError(
                f"{study.name}: {where} rounds = {run['rounds']} of images_per_round = "
                f"{run['images_per_round']} take {wanted} images, but there are {left} {what}; "
                "take fewer of them"
            )


def _check_most(study, where, value, most, what):
    if value > most:
        raise ValueError(f"{study.name}: {where} must be at most the {most} {what}, got {value}")
