#!/usr/bin/env bash
# Makes the font of the PDFs anew: WenQuanYi Micro Hei cut down to Latin,
# punctuation and the characters of GB 2312. It needs Debian's packages
# fonts-wqy-microhei and python3-fonttools.
set -euo pipefail
cd "$(dirname "$0")/../internal/billingcenter/font"

text=$(mktemp)
trap 'rm -f "$text"' EXIT
/usr/bin/python3 - >"$text" <<'PYTHON'
characters = {chr(i) for i in [*range(0x20, 0x7F), *range(0xA0, 0x180)]} | set("–—‘’“”…−×÷·¥€•")
for high in range(0xA1, 0xF8):
    for low in range(0xA1, 0xFF):
        try:
            characters.add(bytes([high, low]).decode("gb2312"))
        except UnicodeDecodeError:
            pass
print("".join(sorted(characters)), end="")
PYTHON
/usr/bin/python3 -m fontTools.subset /usr/share/fonts/truetype/wqy/wqy-microhei.ttc --font-number=0 \
  --text-file="$text" --output-file=sans.ttf --no-hinting --no-recalc-timestamp --layout-features='' --drop-tables+=GSUB,GPOS,GDEF,vhea,vmtx,FFTM
