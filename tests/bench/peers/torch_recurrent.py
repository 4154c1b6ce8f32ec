"""torch_recurrent.py KIND HIDDEN BATCH SEQ THREADS SYMBOLS - PyTorch's training step behind a pipe.

Says "ready", then answers each line with tokens a second over about a second of steps: embedding, two layers of nn.LSTM,
nn.GRU or nn.RNN, a linear head over the symbols, cross-entropy, gradients clipped to 5, Adam."""
import sys

import torch
from torch import nn

from pipe import answer

kind, hidden, batch, seq, threads, symbols = sys.argv[1], *map(int, sys.argv[2:7])
torch.set_num_threads(threads)
torch.set_flush_denormal(True)
torch.manual_seed(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(symbols, hidden)
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](hidden, hidden, 2)
        self.head = nn.Linear(hidden, symbols)

    def forward(self, x):
        return self.head(self.rnn(self.embed(x))[0])


net = Net()
optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
x, y = (torch.randint(symbols, (seq, batch)) for _ in range(2))


def step():
    optimiser.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(net(x).view(-1, symbols), y.view(-1)).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5)
    optimiser.step()


answer(step, batch * seq)
