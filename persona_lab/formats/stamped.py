"""Chats of messengers: every turn carries a time, on its line or on a line of its own.

A line without a time continues the turn before it, whatever stands on it, and a line with a
time and without a name is a notice of the program.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from persona_lab.formats.names import is_contact, is_label, is_name, repeat
from persona_lab.formats.stamps import BRACKETED, STAMP, is_stamp, leading_stamp, without_marks
from persona_lab.formats.transcript import is_action, split_at_name
from persona_lab.formats.turns import Head, Other, Read

_CONTACT = re.compile(
    r"(?P<name>[^:\uff1a\t<>\[\]{}=\\]{1,60}?)\s*[:\uff1a](?P<text>\s.*|)", re.DOTALL
)
_DATE = re.compile(r"\d[./-]\s?\d|[^\W\d_]{3} \d")
_FROM = re.compile(r"^From\s+(?P<name>[^:]+?)\s*(?:\sto\s+[^:]+)?(?=:)")  # Zoom
_AFTER_NAME = re.compile(
    rf"\s*\S.{{0,40}}?,?\s*{BRACKETED}(?:\s*:\s|:?\s*$)|.{{1,42}}:\s*{BRACKETED}\s"
)
_HEADERS = (
    # a name beside a time, as Telegram, Discord, Slack, Rev and DiscordChatExporter write it
    re.compile(rf"(?P<name>[^:<>\[\](){{}}]{{1,60}}?)(?:,\s*|\s+){BRACKETED}\s*:?"),
    re.compile(rf"(?P<name>[^:<>\[\](){{}}]{{1,60}}?):\s*{BRACKETED}"),
    re.compile(rf"(?P<name>[^:<>\[\](){{}}]{{1,60}}?)\s+[\u2014\u2013-]\s*{STAMP}"),
    re.compile(rf"(?P<name>[^:<>\[\](){{}}]{{1,60}}?)\s+{STAMP}\s*:?"),
    re.compile(rf"(?:{BRACKETED}|{STAMP})\s+(?:-\s+)?(?P<name>[^:<>\[\]{{}}]{{1,60}})"),
)
_SURE = _HEADERS[:3]
"""Layouts of no other text: two people need not come back."""

_DIGIT = re.compile(r"\d")
_CLOCK = re.compile(r"\d:\d\d")
_KAKAO = re.compile(rf"\[(?P<name>[^\[\]:]{{1,40}})\]\s*{BRACKETED}\s(?P<text>.*)", re.DOTALL)
_SECTION = re.compile(r"\{(?:Attachments|Embed|Stickers|Reactions|Inline Emoji)\}|={10,}")
_ATTACHED = re.compile(r"\s*\u200e?<[^<>]{3,80}>\s*$")
_WORDLESS = re.compile(
    r"(?:image|video|audio|sticker|gif|document|photo|voice message|contact card|media|"
    r"bild|v[i\u00ed]deo|imagen|imagem|immagine|documento|adesivo)\s+"
    r"(?:omitted|weggelassen|omitid[oa]|ocultad[oa]|omess[oa])"
    r"|(?:this message was|you|this message has been) deleted(?: this message)?"
    r"|(?:du hast )?diese nachricht(?: wurde)? gel\u00f6scht|se elimin\u00f3 este mensaje"
    r"|(?:eliminaste este mensaje|este mensaje fue eliminado)"
    r"|(?:ce message a \u00e9t\u00e9 supprim\u00e9|vous avez supprim\u00e9 ce message)"
    r"|(?:esta )?mensagem (?:foi )?apagada|questo messaggio \u00e8 stato eliminato"
    r"|.*\.\w{3,4} \([^()]*\)|missed (?:group )?(?:voice|video) call|null"
    r"|messages (?:and|to|you) .*end-to-end encrypt.*|nachrichten .*ende-zu-ende-verschl.*"
    r"|los mensajes .*de extremo a extremo.*|transcribed by https?://\S+"
    r"|joined the server|pinned a message|started a call(?: that lasted .*)?"
    r"|(?:dit bericht is|je hebt dit bericht) verwijderd|bu mesaj\u0131? sil(?:indi|diniz)"
    r"|(?:\u0434\u0430\u043d\u043d\u043e\u0435 )?"  # Russian
    r"\u0441\u043e\u043e\u0431\u0449\u0435\u043d\u0438\u0435 "
    r"\u0443\u0434\u0430\u043b\u0435\u043d\u043e"
    r"|\u062a\u0645 \u062d\u0630\u0641 \u0647\u0630\u0647"  # Arabic
    r" \u0627\u0644\u0631\u0633\u0627\u0644\u0629",
    re.IGNORECASE | re.DOTALL,
)
_LOG_SHARE, _PAIRED_SHARE = 0.3, 0.9
# iMessage tells when a message was read, Slack puts a picture of the mood before the time
_RECEIPT = re.compile(r"^:[\w+-]+:\s+|\s*\((?:Read|Delivered|Edited)\b[^()]*\)$")


def stamped(lines: Sequence[str]) -> Read | None:
    """How to read a text whose turns carry a time on the line.

    Args:
        lines: the first lines of a text, blank ones left out.

    Returns:
        None unless there are two such turns or more, and turns without a time are rare.
    """
    timed = [lines[i] for i in _with_digits(lines)]
    names = _heads(timed, sure=False)
    if len(names) < 2:
        return None
    surely = _heads(timed, sure=True)
    # a line "10:31 Bus: late" in a message is no turn where turns have a date or brackets
    sure = len(surely) > max(1, len(names) / 2)
    counts = Counter(surely if sure else names)
    if sum(map(is_label, names)) > len(names) * _LOG_SHARE:
        return None
    if len(counts) == 1 and names[0].islower():  # a program that writes a log
        return None
    bare = (split_at_name(line.strip()) for line in lines if not _has_stamp(line))
    if sum(turn is not None and turn[0] in counts for turn in bare) > len(names) / 2:
        return None

    def read(line: str) -> Head | Other | None:
        found = _read_stamped(line, sure=sure)
        if isinstance(found, Head) and counts[found.name] < 2 and _is_deed(found.name, counts):
            return Other.NOTICE
        return found

    return read


def _heads(lines: Sequence[str], *, sure: bool) -> list[str]:
    found = (_read_stamped(line, sure=sure) for line in lines)
    return [head.name for head in found if isinstance(head, Head)]


def _is_deed(name: str, known: Counter[str]) -> bool:
    """Is it what somebody did (``Ann changed the subject``) rather than a name?"""
    words = name.split()
    return any(" ".join(words[:i]) in known and words[i][0].islower() for i in range(1, len(words)))


def _has_stamp(line: str) -> bool:
    return leading_stamp(without_marks(line)) is not None or _AFTER_NAME.match(line) is not None


def _read_stamped(line: str, *, sure: bool) -> Head | Other | None:
    """Read a line.

    Args:
        line: of a chat.
        sure: read only what has a stamp as no sentence has it.
    """
    bare = without_marks(line)
    stamp = leading_stamp(bare)
    turn: tuple[str, str] | None = None
    if stamp is None:
        match = _KAKAO.fullmatch(bare)
        if match is not None:
            turn = match["name"], match["text"].strip()
        elif sure or _AFTER_NAME.match(bare) is None:
            return None
        turn = turn or split_at_name(bare.lstrip())
        certain = False
    else:
        rest, certain = _FROM.sub(r"\g<name>", bare[stamp[0] :].lstrip(), count=1), stamp[1]
        if sure and not certain:
            return None
        dated = certain and _DATE.search(bare[: stamp[0]]) is not None
        turn = (_contact(rest) if dated else None) or _tabbed(rest) or split_at_name(rest)
        turn = turn or (_contact(rest) if certain else None)
        certain = certain or is_action(rest)
    if turn is None or (not certain and stamp is not None and is_label(turn[0])):
        return Other.NOTICE if certain else None
    name = turn[0].lstrip("~").strip()
    # WhatsApp marks what its program says, not the sender, with a sign that is not seen
    marked = re.search(r":\s*\u200e", line) is not None
    text = _ATTACHED.sub("", turn[1])
    wordless = marked or text != turn[1] or _WORDLESS.fullmatch(text.rstrip(". ")) is not None
    if marked or _WORDLESS.fullmatch(text.rstrip(". ")):
        text = ""
    return Head(name, text, wordless)


def _tabbed(line: str) -> tuple[str, str] | None:
    """A name and a text with a tab between them, as LINE and WeeChat write."""
    name, tab, text = line.partition("\t")
    name = name.strip(" @+")
    return (name, text.strip()) if tab and ":" not in name and is_name(name) else None


def _contact(line: str) -> tuple[str, str] | None:
    match = _CONTACT.fullmatch(line)
    if match is None or not is_contact(match["name"].strip()):
        return None
    return match["name"].strip(), match["text"].strip()


def headed(lines: Sequence[str]) -> Read | None:
    """How to read a text whose turns have a line for the name and the time.

    Args:
        lines: the first lines of a text, blank ones left out.

    Returns:
        None unless two people speak under such lines, and come back where the lines may be
        something else.
    """
    timed = _with_digits(lines)
    if len(timed) < 2:
        return None
    for header in _HEADERS:
        read = _header_reader(header)
        heads = {i: found for i in timed if isinstance(found := read(lines[i]), Head)}
        names = [head.name for head in heads.values()]
        sure = header in _SURE and all(_CLOCK.search(lines[i]) for i in heads)
        known = repeat(names) or (sure and len(set(names)) > 1)
        bare = sum(i + 1 in heads for i in heads)
        if known and bare < len(heads) / 2 and len(heads) * 10 > len(lines):
            return read
    return None


def _with_digits(lines: Sequence[str]) -> list[int]:
    """Positions of lines that may hold a time: all others need no closer look."""
    return [i for i, line in enumerate(lines) if _DIGIT.search(line)]


def _header_reader(header: re.Pattern[str]) -> Read:
    def read(line: str) -> Head | Other | None:
        bare = without_marks(line).strip()
        if _SECTION.match(bare):
            return Other.NOTICE
        if is_stamp(bare):
            return Other.ASIDE
        match = header.fullmatch(bare)
        if match is None:
            return Other.ASIDE if _WORDLESS.fullmatch(bare.rstrip(". ")) else None
        name = match["name"].strip().removesuffix("(pinned)").rstrip(" ,")
        if not is_contact(name) or name[-1] in ".!?" or is_label(name):
            return None
        return Head(name, wordless=True)

    return read


def paired(lines: Sequence[str]) -> Read | None:
    """How to read a text whose turns have a line for the time and one for the name.

    Args:
        lines: the first lines of a text, blank ones left out.

    Returns:
        None unless a name stands on the same side of nearly every time, people come back, and
        there are words below. A time above a name has a date, or it may be a timetable.
    """
    bare = [_RECEIPT.sub("", without_marks(line).strip()) for line in lines]
    times = [i for i, line in enumerate(bare) if is_stamp(line)]
    for side in (1, -1):
        beside = [bare[i + side] for i in times if 0 <= i + side < len(bare)]
        names = [name for name in beside if is_contact(name) and not is_label(name)]
        dated = side < 0 or all(_DATE.search(bare[i]) for i in times)
        empty = sum(i + max(side, 0) + 1 in (*times, len(bare)) for i in times)
        known = dated and empty < len(times) / 2 and repeat(names)
        if known and len(names) >= len(times) * _PAIRED_SHARE:
            return _pair_reader(frozenset(names))
    return None


def _pair_reader(names: frozenset[str]) -> Read:
    def read(line: str) -> Head | Other | None:
        bare = _RECEIPT.sub("", without_marks(line).strip())
        if bare in names:
            return Head(bare, wordless=True)
        wordless = is_stamp(bare) or _WORDLESS.fullmatch(bare.rstrip(". "))
        return Other.ASIDE if wordless else None

    return read


STYLES: tuple[Callable[[Sequence[str]], Read | None], ...] = (stamped, headed, paired)
"""Ways to tell turns by their times, the surer one first."""
