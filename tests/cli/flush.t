# Standard output that is no terminal: the first piece of a text does not wait for those behind it. Each write is a message here.
skip unless command -v python3
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q
$ gen-preprocess corpus -o x.safetensors -q
$ gen-train --data x.safetensors --model gru --hidden 16 --batch 4 --seq 10 --steps 2 -o a -q
$ cat > first.py <<'END'; python3 first.py
> import socket, subprocess
> ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
> p = subprocess.Popen(["gen-sample", "a", "--length", "20", "-q"], stdout=theirs)
> print("first", len(ours.recv(1000)))
> print(p.wait())
> END
< first 1
< 0
