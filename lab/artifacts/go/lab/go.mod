// Small programs of our own that images of the lab hold. They need no other module.
module rplay/artifacts/lab

go 1.26.0
