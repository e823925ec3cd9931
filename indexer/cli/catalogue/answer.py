"""How an answer reads in the terminal: what was found, then the detector, then the limits in two lines.

`--explain` adds every match, all evidence and all limits. The words of a verdict come from `indexer.verdict`.
"""

from collections.abc import Iterator, Sequence

from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from indexer.catalog.records.labels import CurrentLabel
from indexer.cli.output import console, plain, table
from indexer.search.answers import SearchAnswer
from indexer.verdict.copies import Copies, campaigns_of, copies_of, is_copy
from indexer.verdict.findings import CalibrationReference, DetectorFinding
from indexer.verdict.limitations import (
    LIMIT_HASH_SAYS_NOTHING,
    LIMIT_LOW_QUALITY,
    LIMIT_TOO_LITTLE,
    missing_limits,
    short_limits,
)
from indexer.verdict.match_words import match_words
from indexer.verdict.matches import ListedMatch, Match
from indexer.vocabulary import EvidenceKind, LabelValue, Outcome, Relation, Technique

STYLES = {
    Outcome.KNOWN_FAKE_MATCH: "bold red",
    Outcome.SHARES_PART_WITH_KNOWN_FAKE: "bold yellow",
    Outcome.SIMILAR_TO_KNOWN_FAKE: "bold yellow",
    Outcome.NO_MATCH_FOUND: "bold",
    Outcome.INCONCLUSIVE: "bold yellow",
    Outcome.NOT_ASSESSABLE: "bold",
}
_NEAREST = 3
"""Nearest images that do not match that are named without `--explain`."""
_NAMES = 3
"""Names in a list, before "and 4 more"."""


def show_answer(name: str, answer: SearchAnswer, *, limit: int, most: int, explain: bool) -> None:
    """Prints one answer for a person.

    Args:
        name: of the picture, as it was typed.
        answer: with as many matches as can be listed, so that copies are counted and dated in full.
        limit: most matches in a table.
        most: how many matches `answer` can hold at most.
        explain: print every match, all evidence and all limits.
    """
    out, verdict = console(), answer.verdict
    out.print(Rule(plain(name), align="left"))
    headline = Text(verdict.outcome.value.replace("_", " "), style=STYLES[verdict.outcome])
    out.print(Text.assemble(headline, ": ", plain(verdict.summary)))
    if answer.scope_note is not None:
        out.print(Text(answer.scope_note, style="bold"))
    _show_copies(answer, most)
    _show_others(answer.matches, limit, explain=explain)
    for line in _notes(answer):
        out.print(plain(line))
    if explain:
        _explain(answer)
        return
    show_limits(*short_limits(verdict.outcome, calibrated=verdict.calibration is not None))


def show_limits(first: str, second: str) -> None:
    """Prints the two lines that stand for all limits."""
    console().print(f"· {first}\n· {second} All limits: --explain", style="dim", highlight=False)


def _show_copies(answer: SearchAnswer, most: int) -> None:
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True, style="bold")
    lines.add_column(overflow="fold")
    full = len(answer.matches) >= most and all(map(is_copy, answer.matches))
    for copies in copies_of(answer.matches):
        count = len(copies.matches)
        lines.add_row(
            f"{'at least ' if full else ''}{count} {'copy' if count == 1 else 'copies'}", plain(copies_words(copies))
        )
    for line in _listed_words(answer.listed):
        lines.add_row("hash list", plain(line))
    if lines.row_count:
        console().print(lines)


def copies_words(copies: Copies) -> str:
    """What is known of the copies, in a line: label and who gave it, when and where they were seen, campaign."""
    parts = [_labelled(copies), _seen(copies)]
    if copies.campaigns:
        named = [f"{campaign} ({name})" for campaign, name in copies.campaigns.items()]
        parts.append(f"{'campaign' if len(named) == 1 else 'campaigns'} {_some(named)}")
    parts.append(_distance(copies))
    return "; ".join(parts)


def _labelled(copies: Copies) -> str:
    by = f" by {_some(copies.labelled_by)}" if copies.labelled_by else ""
    if copies.disputed:
        return f"label disputed{by}"
    if copies.label is LabelValue.UNKNOWN:
        return f"labelled unknown{by}" if by else "not labelled"
    technique = "" if copies.technique is Technique.UNKNOWN else f" ({copies.technique.value.replace('_', ' ')})"
    return f"labelled {copies.label.value}{technique}{by}"


def _seen(copies: Copies) -> str:
    if not copies.sightings:
        return "no sighting recorded"
    count = len(copies.sightings)
    words = "seen once" if count == 1 else f"seen {count} times"
    if copies.seen is None:
        words += ", dates unknown"
    else:
        first, last = (f"{time:%Y-%m-%d}" for time in copies.seen)
        words += f", on {first}" if first == last else f", first {first}, last {last}"
    places = [
        f"{platform} ({_some(accounts)})" if accounts else platform for platform, accounts in copies.places.items()
    ]
    return f"{words}, on {_some(places)}" if places else words


def _distance(copies: Copies) -> str:
    best = copies.matches[0]
    nearest = f"nearest {best.image.image.sha256[:12]}"
    if best.relation is Relation.SAME_FILE:
        nearest += ", the same file"
    elif best.score.measure != "pdq_distance":
        return f"{nearest}, {match_words(best)}"
    if not copies.distances or copies.same_files == len(copies.matches):
        return nearest
    low, high = copies.distances[0].value, copies.distances[-1].value
    words = f"{nearest}, PDQ {low:.0f}{'' if low == high else f' to {high:.0f}'} of 256"
    notes = {score.note for score in copies.distances}
    turned = _some(sorted(note for note in notes if note))
    if not turned:
        return words
    return f"{words}, {turned}" if None not in notes else f"{words}, some {turned}"


def _listed_words(listed: Sequence[ListedMatch]) -> list[str]:
    """Entries of hash lists, one line for each list and label."""
    groups: dict[tuple[str, str], list[ListedMatch]] = {}
    for entry in listed:
        groups.setdefault((entry.entry.source, entry.entry.label.value), []).append(entry)
    return [
        f"{source}: {label}, {_how(entries[0])}{'' if len(entries) == 1 else f', and {len(entries) - 1} more entries'} "
        "(no picture is held)"
        for (source, label), entries in groups.items()
    ]


def _how(listed: ListedMatch) -> str:
    return "same file" if listed.relation is Relation.SAME_FILE else f"PDQ distance {listed.score.value:.0f}"


def _show_others(matches: Sequence[Match], limit: int, *, explain: bool) -> None:
    out = console()
    others = [match for match in matches if match.holds and not is_copy(match)][:limit]
    nearest = [match for match in matches if not match.holds][:limit]
    if explain and matches:
        out.print(matches_table([*(match for match in matches if match.holds), *nearest]))
    elif others:
        out.print(matches_table(others))
    named = campaigns_of(filter(is_copy, matches))
    for campaign, title in campaigns_of(others).items():
        if campaign not in named:
            out.print("campaign", plain(campaign), plain(title))
    if nearest and not explain:
        listed = [_nearest_words(match) for match in nearest[:_NEAREST]]
        out.print(plain(f"Nearest, but no match: {', '.join(listed)}."))


def _nearest_words(match: Match) -> str:
    cosine = _cosine(match)
    return match.image.image.sha256[:12] + (f" ({cosine})" if cosine else "")


def matches_table(matches: Sequence[Match]) -> Table:
    """A table of matches, strongest first."""
    altered = ("altered",) if any(match.overlap is not None for match in matches) else ()
    listing = table("image", "relation", "PDQ", "cosine", *altered, "label", "labelled by", "seen on")
    for column in listing.columns[:4]:
        column.no_wrap = True
    for match in matches:
        record, image = match.image, match.image.image
        values = {score.measure: score for score in match.scores}
        pdq = values.get("pdq_distance")
        listing.add_row(
            image.sha256[:12],
            match.relation.value if match.holds else "nearest only",
            "" if pdq is None else f"{pdq.value:.0f}" + (f" {pdq.note}" if pdq.note else ""),
            _cosine(match).removeprefix("cosine "),
            *(_altered(match) for _ in altered),
            _label(image.label),
            plain(image.label.source),
            plain(", ".join(sorted({seen.platform for seen in record.sightings if seen.platform}))),
        )
    return listing


def _altered(match: Match) -> str:
    """What comparing details showed, in a few words."""
    return match_words(match) if match.score.measure == "overlap" else ""


def _cosine(match: Match) -> str:
    cosine = next((score for score in match.scores if score.measure == "cls_cosine"), None)
    return "" if cosine is None else f"cosine {cosine.value:.3f}"


def _label(label: CurrentLabel) -> str:
    if label.disputed:
        return "disputed"
    known = label.technique is not Technique.UNKNOWN
    return f"{label.value.value}: {label.technique.value}" if known else label.value.value


def _notes(answer: SearchAnswer) -> Iterator[str]:
    """What is particular to this picture: what its file says, heads, the detector, and what could not be judged."""
    verdict = answer.verdict
    for piece in verdict.evidence:
        if piece.measure.startswith("provenance_"):
            declared = piece.kind is EvidenceKind.SELF_DECLARED
            yield f"{piece.statement} (Self-declared: anyone can write that.)" if declared else piece.statement
    yield from (head.statement for head in answer.heads)
    if answer.detector is not None:
        yield detector_line(answer.detector, verdict.calibration, verdict.verbal_band)
    particular = {*missing_limits(answer.query.missing), LIMIT_LOW_QUALITY, LIMIT_TOO_LITTLE, LIMIT_HASH_SAYS_NOTHING}
    if LIMIT_TOO_LITTLE in verdict.limitations:
        particular.discard(LIMIT_LOW_QUALITY)  # says less
    yield from (limit for limit in verdict.limitations if limit in particular and limit != verdict.summary)


def detector_line(finding: DetectorFinding, calibration: CalibrationReference | None, verbal_band: str | None) -> str:
    """What the detector says of the picture, in a line."""
    if finding.p_fake is None:
        return f"Detector {finding.name}: not trained; it judges neither the picture nor its likeness to known fakes."
    if finding.calibrated_p_fake is None or calibration is None:
        return f"Detector {finding.name}: score {finding.p_fake:.3f} on a scale from 0 to 1, uncalibrated."
    return (
        f"Detector {finding.name}: {verbal_band}, by its score alone ({finding.p_fake:.3f}, probability "
        f"{finding.calibrated_p_fake:.2f} where {calibration.fake_share:.0%} are fake; {calibration.words})."
    )


def _explain(answer: SearchAnswer) -> None:
    out, verdict = console(), answer.verdict
    if verdict.evidence:
        out.print("\nEvidence", style="bold")
    for piece in verdict.evidence:
        out.print(plain(f"· {piece.statement} ({piece.kind.value.replace('_', ' ')})"))
    out.print("\nWhat this answer cannot say", style="bold")
    for limitation in verdict.limitations:
        out.print(plain(f"· {limitation}"))
    index = verdict.index
    out.print(plain(f"Computed on index {index.snapshot} of {index.size:,} embeddings."), style="dim")


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")
