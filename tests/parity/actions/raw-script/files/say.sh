#!/bin/sh
echo "$# arguments: $1 $2"
