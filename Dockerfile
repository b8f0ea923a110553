# The command alone: docker build -t maliu . && docker run --rm -v "$PWD:/media" -w /media maliu probe clip.mp4
FROM rust:1-slim AS build
WORKDIR /maliu
COPY . .
RUN cargo install --locked --path crates/maliu-cli --root /out

FROM debian:stable-slim
COPY --from=build /out/bin/maliu /usr/local/bin/maliu
ENTRYPOINT ["maliu"]
