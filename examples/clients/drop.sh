#!/bin/sh
# Drops a prompt into an sdspool folder, waits, and prints the paths of the pictures.
#   drop.sh SPOOL PROMPT
set -eu
[ $# -eq 2 ] || { echo "usage: $0 SPOOL PROMPT" >&2; exit 64; }
spool=$1

json_string() { # TEXT: the text as a JSON string, byte by byte
    text=$1 LC_ALL=C awk 'BEGIN {
        for (i = 1; i < 32; i++) escape[sprintf("%c", i)] = sprintf("\\u%04x", i)
        escape["\""] = "\\\""; escape["\\"] = "\\\\"
        text = ENVIRON["text"]
        for (i = 1; i <= length(text); i++) {
            c = substr(text, i, 1)
            out = out (c in escape ? escape[c] : c)
        }
        printf "\"%s\"", out
    }'
}

# A hidden name until the file is whole, then one rename.
prompt=$(json_string "$2")
name=hello-$$-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
hidden=$spool/inbox/.$name.json.tmp
printf '{"prompt": %s, "steps": 20, "width": 512, "height": 512}\n' "$prompt" >"$hidden"
mv -- "$hidden" "$spool/inbox/$name.json"

# A folder of results appears in one rename too: once seen, it is complete.
results=$spool/done/$name failed=$spool/failed/$name
until [ -d "$results" ] || [ -d "$failed" ]; do sleep 0.2; done

if [ -d "$failed" ]; then
    message=$(sed -n 's/.*"message" *: *"\([^"\\]*\(\\.[^"\\]*\)*\)".*/\1/p' "$failed/error.json" | head -n 1)
    printf '%s\n' "$message" | sed 's/\\\(["\\/]\)/\1/g' >&2
    exit 1
fi
for file in "$results"/*.png "$results"/*.jpg "$results"/*.webp; do
    [ ! -e "$file" ] || printf '%s\n' "$file"
done
