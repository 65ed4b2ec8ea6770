"""What the launcher hands to the hub, and the hub's first words back."""

from typing import Literal

from msgspec import Struct

from engine.protocol.scenario import Scenario


class PolicySource(Struct, frozen=True):
    """A user's file with a policy.

    Attributes:
        path: Absolute.
        name: What the scenario calls the policy; empty for whatever it calls itself.
    """

    path: str
    name: str = ""


class RunSpec(Struct, frozen=True):
    """One run, ready to start.

    Attributes:
        run: Name, unique among running runs; also the capsule's folder name.
        scenario: What to do.
        scenario_text: The scenario as written, for the capsule.
        runs_dir: Folder that will hold the capsule.
        socket_path: Where consoles connect, empty with ``in_process``.
        players_max: Never more players than this, whatever the operator presses.
        duration_s: End after this long; None until told to stop.
        squads: Squad processes.
        port_base: Ports B, B+1, B+2 (admin, STAT7, gateway); 0 picks free ones; None for
            8000, 8765 and 8766.
        on_disconnect: What happens when the last console vanishes.
        unattended_s_max: An unattended run ends after this long.
        thresholds: Expressions from the command line, besides the scenario's.
        in_process: Everything in the caller's process, over memory links.
        policies: Users' files with policies; whoever started the run consents to run them.
        warbler: Whether a narrator tells the run's story (never in one process).
    """

    run: str
    scenario: Scenario
    scenario_text: str
    runs_dir: str
    socket_path: str
    players_max: int
    duration_s: float | None
    squads: int
    port_base: int | None
    on_disconnect: Literal["revert", "keep", "stop"]
    unattended_s_max: float
    thresholds: tuple[str, ...]
    in_process: bool = False
    commands_per_s: float = 1.0
    warbler: bool = True
    policies: tuple[PolicySource, ...] = ()


class HubReady(Struct, frozen=True, tag="ready"):
    """The hub listens on its socket; the capsule exists."""

    pid: int
    socket_path: str
    capsule: str


class HubFailed(Struct, frozen=True, tag="failed"):
    """The hub could not start: one line for the user and the exit code."""

    message: str
    exit_code: int
