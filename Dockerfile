# docker build --tag glore_seg . && docker run --rm -it glore_seg
# The build runs a short demo. Its commands are those of `.ci/newcomer --quick`.
FROM python:3.13-slim

RUN apt-get update \
	&& apt-get install --yes --no-install-recommends git make \
	&& rm -rf /var/lib/apt/lists/*
WORKDIR /glore_seg
COPY . .
RUN make demo TORCH_BACKEND=cpu DEMO_OPTIONS="--iters 20" && rm -rf demo_output ~/.cache
ENV PATH=/glore_seg/.venv/bin:$PATH
CMD ["bash"]
