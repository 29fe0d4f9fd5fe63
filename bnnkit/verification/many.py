"""The question about many images, serially or in parallel processes."""

from bnnkit import solvers
from bnnkit._checks import as_eps, as_images, as_labels
from bnnkit._progress import progress
from bnnkit.network import BinaryNetwork
from bnnkit.verification.joint import checked_networks, verify_joint, verify_vote
from bnnkit.verification.pipeline import check_fallback, verify
from bnnkit.verification.verdict import Verdicts

QUESTIONS = {"vote": verify_vote, "joint": verify_joint}


def verify_all(
    network,
    images,
    labels,
    eps,
    solver="native",
    timeout=60.0,
    n_jobs=1,
    question="vote",
    **options,
):
    """Verify many images; see `verify` for the question that is asked about each.

    Parameters
    ----------
    network : BinaryNetwork, or a sequence of such, or a Vote of such
        Several are asked what `question` says.
    images : array_like
        uint8 in 0..255 or floats in [0, 1]; (N, C, H, W), (N, H, W) or (N, features).
    labels : array_like of int, shape (N,)
    eps : float
        Radius on the [0, 1] scale.
    solver : str
    timeout : float or None
        Seconds for each image.
    n_jobs : int
        Number of processes, as joblib counts them (-1: one for each core).
    question : "vote", "joint"
        Whether to ask `verify_vote` or `verify_joint` about several networks. About one, both
        are what `verify` is.
    **options
        ``pixels``, ``falsify`` and ``fallback`` of `verify`.

    Returns
    -------
    Verdicts
        In the order of the images.
    """
    asked = (network, images, labels, eps, solver, timeout, n_jobs, question)
    return Verdicts(iter_verdicts(*asked, **options))


def iter_verdicts(
    network,
    images,
    labels,
    eps,
    solver="native",
    timeout=60.0,
    n_jobs=1,
    question="vote",
    **options,
):
    """Like `verify_all`, but yield each verdict as it is ready, in order.

    Whoever iterates keeps what is finished if the work is interrupted.
    """
    ask, network, first = _asked(network, question)
    images = as_images(images, first.input_shape)
    labels = as_labels(labels, len(images), first.n_classes)
    radius = float(as_eps(eps))
    # a wrong name is an error now, not in a worker later
    solvers.get(solver)
    check_fallback(solver, timeout, **options)
    if options.get("certificate") is not None and len(images) > 1:
        raise ValueError(f"one certificate is about one image, got {len(images)}; use verify")
    questions = zip(images, labels, strict=True)
    if n_jobs == 1:
        answers = (
            ask(network, image, label, eps, solver, timeout, **options)
            for image, label in questions
        )
    else:
        from joblib import Parallel, delayed

        answers = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(ask)(network, image, label, eps, solver, timeout, **options)
            for image, label in questions
        )
    return progress(answers, f"verifying, eps {radius:g}", total=len(images))


def _asked(network, question):
    """The function to ask, what to ask it about, and one of the networks; or an error."""
    if question not in QUESTIONS:
        raise ValueError(f"question must be 'vote' or 'joint', got {question!r}")
    if isinstance(network, BinaryNetwork):
        return verify, network, network
    networks = checked_networks(network)
    return QUESTIONS[question], networks, networks[0]
