# sorter in a container: slim, not root, and able to run with a read-only root file system. See docs/containers.md.
FROM python:3.12-slim AS build
# An extra in brackets, such as [cluster]; none for the plain install.
ARG EXTRAS=""
# More packages of Python, such as ray[default] for KubeRay.
ARG PACKAGES=""
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir build \
    && python -m build --wheel --outdir /dist \
    && python -m venv /opt/sorter \
    && /opt/sorter/bin/pip install --no-cache-dir "$(echo /dist/*.whl)${EXTRAS}" ${PACKAGES}

FROM python:3.12-slim
# More packages of Debian, such as wget for the probes of KubeRay.
ARG APT=""
RUN [ -z "${APT}" ] || (apt-get update && apt-get install -y --no-install-recommends ${APT} && rm -rf /var/lib/apt/lists/*)
LABEL org.opencontainers.image.title="sorter" \
      org.opencontainers.image.description="Sort a folder of photos by what is in them" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/sorter /opt/sorter
RUN useradd --uid 1000 --no-create-home --shell /usr/sbin/nologin sorter \
    && install --directory --owner=1000 --group=1000 /photos /out /cache
ENV PATH=/opt/sorter/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    XDG_CACHE_HOME=/cache
USER 1000:1000
WORKDIR /out
VOLUME ["/cache"]
ENTRYPOINT ["sorter"]
CMD ["--help"]
