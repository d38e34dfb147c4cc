#!/bin/sh
# Ends processes when the one that started them is gone, however it went.
# Input: "+PID SIGNAL" watches, "-PID" forgets. At the end of the input (the starter closed it, or died) every watched
# process gets its signal, and after ten seconds SIGKILL.
trap '' INT TERM HUP
watched=
while read -r pid signal; do
  case $pid in
    +*) watched="$watched ${pid#+}:$signal" ;;
    -*)
      rest=
      for one in $watched; do
        [ "${one%:*}" = "${pid#-}" ] || rest="$rest $one"
      done
      watched=$rest
      ;;
  esac
done
for one in $watched; do kill "-${one#*:}" "${one%:*}" 2>/dev/null; done
tries=0
while [ "$tries" -lt 50 ]; do
  alive=
  for one in $watched; do kill -0 "${one%:*}" 2>/dev/null && alive=yes; done
  [ -z "$alive" ] && exit 0
  sleep 0.2
  tries=$((tries + 1))
done
for one in $watched; do kill -KILL "${one%:*}" 2>/dev/null; done
