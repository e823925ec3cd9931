"""What a way to run a detector's network promises, held to the outputs of the reference.

Arrays only: whoever has a runtime has torch, and gives what turns an array into a batch.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from indexer.detector.runtimes import Runtime

Floats = npt.NDArray[np.float32]


class RuntimeTests:
    """Inherit, and give the fixtures `runtime`, what is tested, and `reference`, a runtime whose outputs are right.

    `tolerance` is the most that a number may be off: 1e-4 holds for fp32, a runtime in bf16 sets more.
    """

    tolerance = 1e-4

    def test_it_says_what_it_is(self, runtime: "Runtime") -> None:
        assert runtime.name, "a runtime has a name"
        assert runtime.precision in ("fp32", "bf16", "fp16"), f"{runtime.precision!r} is no precision"

    def test_it_gives_what_the_reference_gives(self, runtime: "Runtime", reference: "Runtime") -> None:
        for count in (1, 3):
            logits, cls = self._run(runtime, self._pictures(count))
            expected_logits, expected_cls = self._run(reference, self._pictures(count))
            np.testing.assert_allclose(logits, expected_logits, atol=self.tolerance)
            np.testing.assert_allclose(cls, expected_cls, atol=self.tolerance)

    def test_outputs_are_float32_rows_of_the_pictures(self, runtime: "Runtime") -> None:
        logits, cls = self._run(runtime, self._pictures(2))
        assert {logits.dtype.name, cls.dtype.name} == {"float32"}, "outputs are float32, whatever the precision"
        assert logits.ndim == 2, "logits are [N, C]"
        assert len(logits) == 2, "logits are [N, C]"
        assert cls.shape == (2, 384), "cls is [N, 384]"

    def test_a_picture_gives_the_same_in_any_company(self, runtime: "Runtime") -> None:
        pictures = self._pictures(3)
        together = self._run(runtime, pictures)[1]
        np.testing.assert_allclose(self._run(runtime, pictures[2:])[1][0], together[2], atol=self.tolerance)
        np.testing.assert_allclose(self._run(runtime, pictures[::-1].copy())[1][::-1], together, atol=self.tolerance)

    def test_it_leaves_its_input_and_its_earlier_outputs_as_they_are(self, runtime: "Runtime") -> None:
        batch = self._batch(self._pictures(1))
        before = batch.clone()
        first = runtime.infer(batch)
        kept = first.cls.clone()
        runtime.infer(self._batch(self._pictures(2)[1:]))
        assert (batch == before).all(), "the input was changed"
        assert (first.cls == kept).all(), "outputs must not be a buffer that the next pass writes to"

    def test_threads_may_call_it_at_the_same_time(self, runtime: "Runtime") -> None:
        pictures = self._pictures(2)
        expected = [self._run(runtime, pictures[row : row + 1])[1] for row in (0, 1)]
        with ThreadPoolExecutor(2) as threads:
            embeddings = list(threads.map(lambda row: self._run(runtime, pictures[row : row + 1])[1], (0, 1, 0, 1)))
        for row, cls in zip((0, 1, 0, 1), embeddings, strict=True):
            np.testing.assert_allclose(cls, expected[row], atol=self.tolerance)

    @staticmethod
    def _pictures(count: int) -> Floats:
        return np.random.default_rng(count).standard_normal((3, 3, 384, 384), dtype=np.float32)[:count]

    @staticmethod
    def _batch(pictures: Floats) -> Any:
        from indexer.detector.runtimes.runtime import batch_of

        return batch_of(pictures)

    def _run(self, runtime: "Runtime", pictures: Floats) -> tuple[Floats, Floats]:
        outputs = runtime.infer(self._batch(pictures))
        return outputs.logits.numpy(), outputs.cls.numpy()
