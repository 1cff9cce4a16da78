# syntax=docker/dockerfile:1
# One static program and nothing else: `docker build -t mqtt-informer .`, then `docker run mqtt-informer syncer --help`.
# For other machines: docker buildx build --platform linux/amd64,linux/arm64 .

FROM rust:1.95-alpine AS build
# A C compiler, for zstd and ring; the authorities that a broker's public certificate may be signed by.
RUN apk add --no-cache build-base ca-certificates
WORKDIR /src
COPY . .
# The caches outlive a change of any source; what they hold is copied out before they are unmounted.
ARG TARGETPLATFORM
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,id=mqtt-informer-target-${TARGETPLATFORM} \
    cargo install --locked --path . --bin mqtt-informer --root /usr/local --no-track \
    && cp /usr/local/bin/mqtt-informer /mqtt-informer \
    && if readelf --program-headers /mqtt-informer | grep INTERP; then echo "it is not static" >&2; exit 1; fi

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mqtt-informer" \
      org.opencontainers.image.description="Kubernetes informers over MQTT: see clusters that nobody can reach" \
      org.opencontainers.image.source="https://github.com/mqtt-informer/mqtt-informer" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /mqtt-informer /mqtt-informer
# A number: Kubernetes' runAsNonRoot cannot look a name up.
USER 65532:65532
ENTRYPOINT ["/mqtt-informer"]
