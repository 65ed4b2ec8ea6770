"""What an operator types to filter a list. Pure."""

from engine.protocol.filters import (
    ENTITY_FIELDS,
    EVENT_FIELDS,
    STORY_FIELDS,
    VIOLATION_FIELDS,
    Filter,
    parse_filter,
)


def typed_filter(name: str, text: str) -> Filter:
    """Return the filter that was typed for a list.

    Raises:
        UserError: It cannot be read.
    """
    fields = {
        "entities": ENTITY_FIELDS,
        "events": EVENT_FIELDS,
        "violations": VIOLATION_FIELDS,
        "story": STORY_FIELDS,
    }
    return parse_filter(text, fields[name])
