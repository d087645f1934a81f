#!/bin/sh
touch /nonexistent
