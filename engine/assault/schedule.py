"""When each player's next command is due: an open model, blind to answers.

Player n's commands are due at its first welcome + (phase + k) / rate. Nothing that the
server does moves them; a due time that has passed is still served, as late as it is.
"""

import heapq


class Schedule:
    """Due times of many players at one common rate.

    Args:
        commands_per_s: Commands a second for each player; 0 pauses.
    """

    def __init__(self, commands_per_s: float) -> None:
        self.commands_per_s = commands_per_s
        self._due_s: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []
        self._paused: dict[int, float] = {}
        """While the rate is 0: the part of an interval each player still has to wait."""

    def __len__(self) -> int:
        return len(self._due_s) + len(self._paused)

    def __contains__(self, player: int) -> bool:
        return player in self._due_s or player in self._paused

    def start(self, player: int, now_s: float, phase: float) -> None:
        """Begin a player's schedule.

        Args:
            player: Its number.
            now_s: Now.
            phase: Part of an interval, in [0, 1), until the first command.
        """
        if self.commands_per_s <= 0:
            self._paused[player] = phase
            return
        self._push(player, now_s + phase / self.commands_per_s)

    def stop(self, player: int) -> None:
        """End a player's schedule."""
        self._due_s.pop(player, None)
        self._paused.pop(player, None)

    def set_rate(self, commands_per_s: float, now_s: float) -> None:
        """Change the rate now: what is left of every interval is stretched or shrunk.

        Phases stay spread as they were, and a faster rate holds within its own interval.
        Due times that have passed stay due.
        """
        old, self.commands_per_s = self.commands_per_s, commands_per_s
        left = dict(self._paused)
        late = {n: due for n, due in self._due_s.items() if due <= now_s}
        left.update({n: (due - now_s) * old for n, due in self._due_s.items() if n not in late})
        self._heap.clear()
        self._due_s.clear()
        self._paused.clear()
        for player, due_s in late.items():
            self._push(player, due_s)
        for player, part in left.items():
            self.start(player, now_s, part)

    def pop(self, now_s: float) -> tuple[float, int] | None:
        """Return the earliest (due time, player) that has come, and plan that player's next."""
        heap, due = self._heap, self._due_s
        while heap and heap[0][0] <= now_s:
            due_s, player = heapq.heappop(heap)
            if due.get(player) != due_s:
                continue  # stopped, or planned anew
            if self.commands_per_s > 0:
                self._push(player, due_s + 1.0 / self.commands_per_s)
            else:
                del due[player]
                self._paused[player] = 1.0
            return due_s, player
        return None

    def next_due_s(self) -> float | None:
        """Return the earliest due time, None when nothing is planned."""
        heap, due = self._heap, self._due_s
        while heap and due.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def _push(self, player: int, due_s: float) -> None:
        self._due_s[player] = due_s
        heapq.heappush(self._heap, (due_s, player))
