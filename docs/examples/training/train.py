# SPDX-License-Identifier: Apache-2.0
"""Trains the networks digits and motion; configs/models/*.npz came from it.

python docs/examples/training/train.py digits OUT.npz   (in the checkout; see README.md)

Needs PyTorch and the data packages of requirements-data.in. Seeds are fixed, but another PyTorch or
processor sums in another order, so the weights are kept with the models rather than made anew.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "site_scons")]

from golden.network.datasets import load_dataset  # noqa: E402
from golden.network.encoder import Encoder  # noqa: E402
from golden.network.models import model_path, read_model  # noqa: E402

EPOCHS = {"digits": 160, "motion": 200}
BATCH = {"digits": 64, "motion": 20}
DROPOUT = {"digits": 0.05, "motion": 0.1}


class Block(nn.Module):
    """A pre-norm encoder block; its names are those of golden/network/encoder.py."""

    def __init__(self, encoder: Encoder, dropout: float) -> None:
        super().__init__()
        width, inner = encoder.E, encoder.H * encoder.P
        self.heads, self.dropout = (encoder.H, encoder.P), dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v = (nn.Linear(width, inner) for _ in range(3))
        self.o = nn.Linear(inner, width)
        self.up, self.down = nn.Linear(width, encoder.F), nn.Linear(encoder.F, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N,S,E]."""
        size = (*x.shape[:2], *self.heads)
        normal = self.norm1(x)
        query, key, value = (
            layer(normal).view(size).transpose(1, 2) for layer in (self.q, self.k, self.v)
        )
        attention = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(size[-1]), -1)
        mixed = (attention @ value).transpose(1, 2).flatten(2)
        x = x + functional.dropout(self.o(mixed), self.dropout, self.training)
        hidden = self.down(functional.gelu(self.up(self.norm2(x))))
        return x + functional.dropout(hidden, self.dropout, self.training)


class Network(nn.Module):
    """Convolution, positions, blocks, normalisation, mean, linear layer."""

    def __init__(self, encoder: Encoder, dropout: float) -> None:
        super().__init__()
        convolution = nn.Conv2d if encoder.front.kind == "conv2d" else nn.Conv1d
        front = encoder.front
        self.embed = convolution(encoder.input[0], encoder.E, front.kernel, front.stride)
        self.position = nn.Parameter(0.02 * torch.randn(encoder.S, encoder.E))
        self.blocks = nn.ModuleList(Block(encoder, dropout) for _ in range(encoder.blocks))
        self.norm = nn.LayerNorm(encoder.E)
        self.head = nn.Linear(encoder.E, encoder.classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [N, classes]."""
        x = self.embed(x).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


def uniform(random: torch.Generator, *size: int) -> torch.Tensor:
    """-1/2 .. 1/2."""
    return torch.rand(size, generator=random) - 0.5


def changed_digits(x: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Turned, scaled, moved, brighter or darker, noisy."""
    count = len(x)
    place = torch.zeros(count, 2, 3)
    angle, scale = 0.3 * uniform(random, count), 1 + 0.2 * uniform(random, count, 2)
    place[:, 0, 0], place[:, 0, 1] = scale[:, 0] * torch.cos(angle), -torch.sin(angle)
    place[:, 1, 0], place[:, 1, 1] = torch.sin(angle), scale[:, 1] * torch.cos(angle)
    place[:, :, 2] = 0.2 * uniform(random, count, 2)
    grid = functional.affine_grid(place, list(x.shape), align_corners=False)
    x = functional.grid_sample(x, grid, align_corners=False)
    return x * (1 + 0.2 * uniform(random, count, 1, 1, 1)) + noise(x, 0.03, random)


def changed_motion(x: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Moved in time, stronger or weaker, noisy."""
    steps = torch.randint(0, x.shape[-1], (len(x),), generator=random)
    x = torch.stack([torch.roll(one, int(step), -1) for one, step in zip(x, steps, strict=True)])
    return x * (1 + 0.4 * uniform(random, *x.shape[:2], 1)) + noise(x, 0.1, random)


def noise(x: torch.Tensor, size: float, random: torch.Generator) -> torch.Tensor:
    """Normal, of this deviation."""
    return size * torch.randn(x.shape, generator=random)


def train(name: str) -> dict[str, np.ndarray]:
    """The float tensors of a trained network."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(1)
    data, network = load_dataset(name), Network(read_model(model_path(name)).encoder, DROPOUT[name])
    inputs, tests = (torch.tensor(part, dtype=torch.float32) for part in (data.train, data.test))
    labels, wanted = torch.tensor(data.train_labels), torch.tensor(data.test_labels)
    change = {"digits": changed_digits, "motion": changed_motion}[name]
    steps = EPOCHS[name] * math.ceil(len(inputs) / BATCH[name])
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for epoch in range(EPOCHS[name]):
        network.train()
        for chosen in torch.randperm(len(inputs), generator=random).split(BATCH[name]):
            found = network(change(inputs[chosen], random))
            loss = functional.cross_entropy(found, labels[chosen], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        if (epoch + 1) % 20 == 0:
            print(f"{epoch + 1}: loss {loss.item():.3f}, test {score(network, tests, wanted):.4f}")
    return {key: tensor.numpy() for key, tensor in network.state_dict().items()}


def score(network: Network, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of right answers."""
    network.eval()
    with torch.no_grad():
        return (network(inputs).argmax(1) == labels).float().mean().item()


if __name__ == "__main__":
    np.savez(sys.argv[2], **train(sys.argv[1]))
