"""Who a name is: entity ids, and the tokens with which a player proves that it is back."""

import hmac

from blake3 import blake3

from engine.protocol import limits
from engine.protocol.text import printable


class Roster:
    """Maps names to entity ids and makes resume tokens.

    Args:
        secret: Key of the tokens, the same in every start of one world.
        guests: Names of the guests that the world knows, by entity id.
    """

    def __init__(self, secret: bytes, guests: dict[int, str]) -> None:
        self._key = blake3(b"seedstorm resume token" + secret).digest()
        self._guests = {name: entity for entity, name in guests.items()}
        self._next_guest = max(guests, default=limits.GUEST_ID_BASE - 1) + 1

    def entity(self, name: str) -> int:
        """Return the entity id of a name; a guest that is new gets the next free one."""
        found = self.find(name)
        if found is None:
            found = self._guests[name] = self._next_guest
            self._next_guest += 1
        return found

    def find(self, name: str) -> int | None:
        """Return the entity id of a name, None for a guest that never came."""
        numbered = self._numbered(name)
        return self._guests.get(name) if numbered is None else numbered

    @property
    def next_guest(self) -> int:
        """The entity id that the next new guest would get."""
        return self._next_guest

    @property
    def takes_guests(self) -> bool:
        """Whether another new guest may come."""
        return self._next_guest < limits.GUEST_ID_BASE + limits.GUESTS_MAX

    @staticmethod
    def _numbered(name: str) -> int | None:
        prefix, _, digits = name.partition("-")
        if prefix != "player" or not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
            return None
        number = int(digits)
        if number >= limits.PLAYERS_MAX or str(number) != digits:
            return None
        return limits.PLAYER_ID_BASE + number

    @staticmethod
    def objection(name: str) -> str:
        """Return what is wrong with a name, empty when nothing is."""
        if printable(name, limits.NAME_CHARS_MAX) != name:
            return "a name holds printable characters only"
        if name != name.strip():
            return "a name neither begins nor ends with a space"
        return ""

    def token(self, name: str) -> str:
        """Return the resume token of a name."""
        return blake3(name.encode(), key=self._key).hexdigest(length=16)

    def proves(self, name: str, token: str) -> bool:
        """Whether ``token`` is the one of ``name``."""
        return hmac.compare_digest(self.token(name).encode(), token.encode("utf-8", "replace"))
