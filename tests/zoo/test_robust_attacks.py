import robust_attacks


def test_no_attack_finds_more_than_there_is(made):
    images, labels = made.data.test.images[:20], made.data.test.labels[:20]
    *attacks, exact = robust_attacks.rows(made.classifier, images, labels, made.recipe.eps)
    assert len(attacks) == len(robust_attacks.ATTACKS)
    withstand = [float(row.split("|")[2]) for row in (*attacks, exact)]
    assert exact.startswith("| exact, 0 unknown")
    assert min(withstand) == withstand[-1] < max(withstand)
