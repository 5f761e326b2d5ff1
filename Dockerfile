# The server with all it needs to run. Keep /data: it holds the database and the master key.
#
#   docker build --tag repoplane .
#   docker run --init --publish 8080:8080 --publish 9000:9000 --volume repoplane:/data repoplane
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package repoplane

FROM debian:bookworm-slim
# git puts packs together; the certificates are for a PostgreSQL that asks for TLS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --no-create-home repoplane \
    && install --directory --owner=repoplane --group=repoplane --mode=0700 /data
COPY --from=build /src/target/release/repoplane /usr/local/bin/repoplane

USER repoplane
ENV REPOPLANE_DATA_DIR=/data REPOPLANE_LISTEN=0.0.0.0:8080 REPOPLANE_S3_LISTEN=0.0.0.0:9000
VOLUME /data
EXPOSE 8080 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["repoplane", "healthcheck"]
ENTRYPOINT ["repoplane"]
CMD ["serve"]
