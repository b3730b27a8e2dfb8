module tollgate.dev/scripts/bench-peers

go 1.26.0

replace tollgate.dev => ../..

require github.com/klauspost/compress v1.20.3
