"""A group of processes (cgroups 1 or 2) for an engine and all of its containers, whose memory is counted together."""

from pathlib import Path

FOLDER = Path("/sys/fs/cgroup")


class Group:
    """`of_containers` is what the engine is told. Needs root."""

    def __init__(self, name: str) -> None:
        self._is_new = (FOLDER / "cgroup.controllers").exists()
        self._name = name
        self._folder = FOLDER / name if self._is_new else FOLDER / "memory" / name
        (self._folder / "engine").mkdir(parents=True)
        if self._is_new:
            (self._folder / "cgroup.subtree_control").write_text("+memory")
        self.of_containers = f"/{name}/containers"

    def around(self, command: list[str | Path]) -> list[str | Path]:
        """The command, in the group with all that it starts."""
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', self._folder / "engine/cgroup.procs", *command]

    def limit(self, size: int | None) -> None:
        """Bytes that all of it may take together; None: as many as there are."""
        most = str(size) if size else "max" if self._is_new else "-1"
        (self._folder / ("memory.max" if self._is_new else "memory.limit_in_bytes")).write_text(most)

    def used(self) -> int:
        """Bytes that cannot be given back: without the files that the kernel keeps."""
        pairs = (line.split() for line in (self._folder / "memory.stat").read_text().splitlines())
        told = {name: int(size) for name, size in pairs}
        names = (
            ("anon", "shmem", "kernel_stack", "slab_unreclaimable") if self._is_new else ("total_rss", "total_shmem")
        )
        return sum(told[name] for name in names)

    def killed(self) -> int:
        """How many processes that it still has a group for the kernel has ended for want of memory."""
        name = "memory.events" if self._is_new else "memory.oom_control"
        lines = [line for file in self._folder.rglob(name) for line in file.read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def remove(self) -> None:
        """Once everything in it has ended, wherever the engine has made groups of this name."""
        for place in (FOLDER / self._name, *FOLDER.glob(f"*/{self._name}")):
            for folder in sorted(place.glob("**/"), reverse=True):
                folder.rmdir()
