"""Training by several processes at once, as `torchrun` starts them.

A team of one is every ordinary run: it costs nothing and needs no set-up.
"""

import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


class Team:
    """The processes that train one network together, and this process's place among them."""

    def __init__(self) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = int(os.environ.get("RANK", 0))
        cuda = torch.cuda.is_available()
        self.device = torch.device("cuda" if cuda else "cpu")
        if self.size > 1:
            if cuda:
                self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
                torch.cuda.set_device(self.device)
            dist.init_process_group("nccl" if cuda else "gloo")

    @property
    def leads(self) -> bool:
        """Whether this process is the one that logs and writes."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model with its gradients averaged over the team in every backward pass."""
        return DistributedDataParallel(model) if self.size > 1 else model

    def share(self, batch: torch.Tensor) -> torch.Tensor:
        """This process's part of a batch: of its indices, or of what else it has one of each."""
        return batch[self.rank :: self.size]

    def gather(self, values: torch.Tensor, size: int) -> torch.Tensor:
        """Collect the values of a batch.

        Args:
            values: float N, one for each index of this process's `share`.
            size: of the whole batch.

        Returns:
            float, one for each index of the batch, in its order; the same in every process.
        """
        if self.size == 1:
            return values
        of_all = values.new_zeros(size)
        of_all[self.rank :: self.size] = values
        dist.all_reduce(of_all)
        return of_all

    def own(self, places: torch.Tensor) -> torch.Tensor:
        """Of these places in a batch, those in this process's `share`, as places in it."""
        if self.size == 1:
            return places
        return places[places % self.size == self.rank] // self.size

    def total(self, *values: float | torch.Tensor) -> list[float]:
        """Add up each value over the team; every process gets the same sums."""
        sums = torch.tensor([float(v) for v in values], dtype=torch.float64, device=self.device)
        dist.all_reduce(sums)
        return sums.tolist()

    def leave(self) -> None:
        """Close the connections to the others."""
        if self.size > 1:
            dist.destroy_process_group()
