"""The run: known pictures and traps are ingested, then copies, strangers and traps ask, in parts that can go on."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from benchmarks.alterations.drawing import Gallery
from benchmarks.copying import traps as trap_kinds
from benchmarks.copying.collection import Known, Pictures, ingest, known
from benchmarks.copying.peers import Embed, EmbeddingAlone, PdqAlone, embedded, sscd
from benchmarks.copying.product import ask
from benchmarks.copying.queries import UNALTERED, Copy, CopyFiles, plan
from benchmarks.copying.rows import checks, precisions, rows
from benchmarks.copying.strangers import NEAR_BITS, NEAR_COSINE, Strangers, gather
from benchmarks.copying.trials import Part, Peer, Trial, TrialFile
from benchmarks.reporting.report import Report, peak_memory_mib
from indexer.arrays import Vector
from indexer.cli.output import progress
from indexer.errors import UsageError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace

QUESTION = "Are altered copies found and called copies, and are unrelated pictures left alone?"


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured.

    Attributes:
        manifests: pictures that are known and asked with.
        distractors: pictures that are only known.
        strangers: pictures that are only asked with.
        traps: folders of kinds of traps.
        made_traps: pairs of each kind made by code.
        queries: copies of each alteration at each strength.
        most_strangers: that are asked with.
        every: each (1) or each second (2) known picture, or so on.
        part: which half of the pictures asks.
        augly: an interpreter that has AugLy.
        sscd: a folder with SSCD's ONNX files.
        peers: whether PDQ and the detector's CLS are asked too.
    """

    manifests: tuple[Path, ...]
    distractors: tuple[Path, ...] = ()
    strangers: tuple[Path, ...] = ()
    traps: tuple[Path, ...] = ()
    made_traps: int = 0
    queries: int = 5
    most_strangers: int = 10_000
    every: int = 1
    part: Part = Part.ALL
    augly: Path | None = None
    sscd: Path | None = None
    peers: bool = True


def measure(options: Options, settings: Settings, work: Path) -> Report:
    """Ingests and measures; a second run in the same `work` folder goes on where the first was stopped.

    Raises:
        DejafakeError: a manifest cannot be read, or holds no picture; AugLy or SSCD are not where they should be.
    """
    if options.queries < 1 or options.every < 1:
        raise UsageError("--queries and --every must be at least 1")
    work.mkdir(parents=True, exist_ok=True)
    with Workspace(settings) as workspace:
        run = _Run(options, workspace, work)
        run.ask_all()
        trials = tuple(run.file.trials.values())
        parameters = {**run.parameters, "peers": sorted({name for one in trials for name in one.peers})}
    made = rows(trials)
    copies = [one.milliseconds for one in trials]
    figures = precisions(trials)
    figures |= {
        "search_milliseconds_median": round(float(np.median(copies)), 1) if copies else 0.0,
        "strangers_left_out_as_near_duplicates": float(run.strangers.dropped),
        "peak_memory_mib": round(peak_memory_mib(), 1),
    }
    return Report(QUESTION, parameters, made, checks(made, figures), figures)


class _Run:
    """One run: what is known, who asks, and the file of what came of it."""

    def __init__(self, options: Options, workspace: Workspace, work: Path) -> None:
        self._options, self._workspace, self._work = options, workspace, work
        self._limits = ImageLimits.from_settings(workspace.settings)
        asked = ingest(workspace, options.manifests, options.every)
        if not asked:
            raise UsageError(f"{options.manifests[0]} holds no picture that can be ingested")
        everyone = [*asked, *ingest(workspace, options.distractors, options.every)]
        self._pictures = Pictures(workspace)
        embeds = sscd(options.sscd) if options.sscd is not None else {}
        before = known(workspace, everyone)
        vectors = {name: self._embedded(name, embed, before) for name, embed in embeds.items()}
        self.strangers = self._strangers(before, embeds, vectors)
        self._traps = [trap for trap in self._all_traps() if trap.known or options.part.has(trap.name)]
        self._known = known(workspace, [*everyone, *self._ingest_traps()])
        if workspace.counts().images != len(self._known.sha256s):
            raise UsageError(f"{work} holds pictures of a run with other ones: choose another --work folder")
        workspace.index.build()
        vectors = {name: self._embedded(name, embed, self._known) for name, embed in embeds.items()}
        self._near = (embeds["sscd"], vectors["sscd"]) if "sscd" in embeds else None
        self._same = self._known.same(vectors.get("sscd"))
        self._peers = self._all_peers(embeds, vectors)
        self._asked = [sha256 for sha256 in asked if options.part.has(sha256)]
        self._files = CopyFiles(self._pictures, Gallery(self.strangers.apart), work / "augly", options.augly)
        self.parameters: dict[str, object] = {
            "detector": workspace.resolved.spec.name,
            "known": len(self._known.sha256s),
            "pictures_that_ask": len(self._asked),
            "strangers": min(len(self._part_of_strangers()), options.most_strangers),
            "traps": sum(not trap.known for trap in self._traps),
            "part": options.part.value,
            "queries_of_each_alteration_and_strength": options.queries,
            "augly": options.augly is not None,
        }
        fixed = {name: value for name, value in self.parameters.items() if not name.startswith("queries")}
        fixed.pop("strangers")
        self.file = TrialFile(work / f"trials-{options.part.value}.jsonl", fixed)

    def ask_all(self) -> None:
        """Asks what was not asked yet."""
        self._ask_copies()
        own: frozenset[int] = frozenset()
        traps = [trap for trap in self._traps if not trap.known]
        with progress("traps", len(traps)) as advance:
            for trap in traps:
                if self._near_duplicate(trap):
                    continue
                self._ask("trap", trap.kind, trap.name, -1, hashlib.sha256(trap.data).hexdigest(), trap.data, own)
                advance(1)
        chosen = self._part_of_strangers()[: self._options.most_strangers]
        with progress("strangers", len(chosen)) as advance:
            for sha256 in chosen:
                self._ask("stranger", "", sha256[:16], -1, sha256, self.strangers.asked[sha256], own)
                advance(1)

    def _ask_copies(self) -> None:
        numbers = {sha256: number for number, sha256 in enumerate(self._known.sha256s)}
        planned = list(plan(self._asked, self._options.queries, with_augly=self._options.augly is not None))
        lacking = [copy for copy in planned if _trial_key(copy) not in self.file.trials]
        self._files.prepare(lacking)
        with progress("altered copies", len(lacking)) as advance:
            for copy in lacking:
                own = self._same[numbers[copy.sha256]]
                self._ask("copy", copy.by, copy.name, copy.strength, copy.sha256, self._files.file(copy), own)
                advance(1)

    def _ask(
        self, kind: str, group: str, name: str, strength: int, about: str, data: bytes, own: frozenset[int]
    ) -> None:
        trial = Trial(kind, group, name, strength, about, False, None, (), ())
        if trial.key in self.file.trials:
            return
        asked = ask(self._workspace, data, frozenset(self._known.sha256s[number] for number in own))
        picture = decode(data, self._limits).rgb if self._peers else None
        peers: dict[str, Peer] = {}
        if picture is not None:
            peers = {which: peer(picture, own) for which, peer in self._peers.items()}
        self.file.add(
            Trial(kind, group, name, strength, about, asked.first, asked.claim, asked.wrong, asked.scores, peers,
                  asked.milliseconds)
        )  # fmt: skip

    def _embedded(self, name: str, embed: Embed, whose: Known) -> np.ndarray:
        with progress(f"{name}, known pictures", len(whose.sha256s)) as advance:
            return embedded(embed, whose.sha256s, self._pictures.decoded, self._work / f"{name}.npz", advance)

    def _strangers(self, whose: Known, embeds: Mapping[str, Embed], vectors: Mapping[str, np.ndarray]) -> Strangers:
        near = (embeds["sscd"], vectors["sscd"]) if "sscd" in embeds else None
        with progress("strangers, near-duplicates", None) as advance:
            return gather(
                self._options.strangers, self._limits, whose, near, self._work / "sscd-strangers.npz", advance
            )

    def _near_duplicate(self, trap: trap_kinds.Trap) -> bool:
        """Whether a trap that was found, not made, is the same picture as a known one after all."""
        if trap.kind in trap_kinds.KINDS:
            return False
        picture = decode(trap.data, self._limits).rgb
        if self._known.pdq().distances(picture).min(initial=256) <= NEAR_BITS:
            return True
        near = self._near
        return near is not None and float((near[1] @ near[0](picture)).max()) >= NEAR_COSINE

    def _part_of_strangers(self) -> list[str]:
        return [sha256 for sha256 in self.strangers.asked if self._options.part.has(sha256)]

    def _all_traps(self) -> Iterator[trap_kinds.Trap]:
        yield from trap_kinds.made(self.strangers.within, self._options.made_traps)
        for folder in self._options.traps:
            yield from trap_kinds.found(folder, self._limits)

    def _ingest_traps(self) -> tuple[str, ...]:
        with TemporaryDirectory() as name:
            for number, trap in enumerate(self._traps):
                if trap.known:
                    (Path(name) / f"{number:05}.img").write_bytes(trap.data)
            return ingest(self._workspace, [Path(name)], 1) if any(Path(name).iterdir()) else ()

    def _all_peers(
        self, embeds: Mapping[str, Embed], vectors: Mapping[str, np.ndarray]
    ) -> dict[str, PdqAlone | EmbeddingAlone]:
        if not self._options.peers:
            return {}
        detector = self._workspace.detector()

        def cls(picture: Image.Image) -> Vector:
            return np.asarray(detector.run(detector.prepare(picture)[None]).embeddings[0], np.float32)

        with progress("CLS, known pictures", len(self._known.sha256s)) as advance:
            of_cls = embedded(cls, self._known.sha256s, self._pictures.decoded, self._work / "cls.npz", advance)
        peers: dict[str, PdqAlone | EmbeddingAlone] = {"pdq": self._known.pdq(), "cls": EmbeddingAlone(cls, of_cls)}
        return peers | {name: EmbeddingAlone(embed, vectors[name]) for name, embed in embeds.items()}


def _trial_key(copy: Copy) -> str:
    name = UNALTERED if copy.name == UNALTERED else copy.name
    return Trial("copy", copy.by, name, copy.strength, copy.sha256, False, None, (), ()).key
