"""What all exact networks have in common: a digest of their content, and a file."""

from functools import cached_property


class SavedNetwork:
    """A network that never changes, so that its content is its identity."""

    @cached_property
    def digest(self):
        """SHA-256 of the network's content: equal networks have equal digests."""
        from bnnkit.network.files import digest

        return digest(self)

    def __eq__(self, other):
        return type(other) is type(self) and self.digest == other.digest

    def __hash__(self):
        return hash(self.digest)

    def save(self, path):
        """Write the network to `path`, one .npz file, atomically. See `bnnkit.network.files`."""
        from bnnkit.network.files import save

        save(self, path)

    @classmethod
    def load(cls, path):
        """Read a network that `save` wrote.

        Raises
        ------
        ValueError
            The file is damaged or holds no network of this class.
        """
        from bnnkit.network.files import load

        return load(path, cls)
