export OMERODIR=/opt/omero/server/OMERO.server
export PATH="$PATH:/opt/omero/server/venv3/bin"
