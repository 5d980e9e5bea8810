"""A function whose work on a GPU is recorded once, and then launched as a whole.

A training step of LeNet is some hundred kernels of a few microseconds. Launching them one after the
other takes longer than running them; a CUDA graph is launched once.
"""

from collections.abc import Callable

import torch

WARM_UP = 3  # calls before the recording: in them PyTorch makes buffers and chooses kernels


class Recorded:
    """A function of tensors on a GPU: called a few times, then recorded, then replayed.

    What is replayed is the work on the GPU alone, with the memory and the Python numbers of the
    recording. So the function may change tensors in place, but must not look at their values,
    and each call's tensors must have the first one's shapes.
    """

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        self.function = function
        self.calls = 0
        self.stream = torch.cuda.Stream()
        self.graph = torch.cuda.CUDAGraph()

    def __call__(self, *tensors: torch.Tensor) -> torch.Tensor:
        """The function's result, in memory of its own."""
        self.calls += 1
        if self.calls <= WARM_UP:
            return self._call(tensors)
        if self.calls == WARM_UP + 1:
            self.tensors = [tensor.clone() for tensor in tensors]
            with torch.cuda.graph(self.graph, stream=self.stream):
                self.result = self.function(*self.tensors)
        for recorded, tensor in zip(self.tensors, tensors, strict=True):
            recorded.copy_(tensor)
        self.graph.replay()
        return self.result.clone()

    def _call(self, tensors: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Call the function on the stream of the recording, as PyTorch asks for beforehand."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            result = self.function(*tensors)
        torch.cuda.current_stream().wait_stream(self.stream)
        return result
