package meter

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// The sizes at which one thing begins to count as several (domain section 7.3).
const (
	LogSplit     = 10 << 10      // bytes of a log record in the default storage
	LogSplitSLS  = 2 << 10       // bytes of a log record in SLS storage
	ProfileSplit = 300 << 10     // bytes of the files of a profile
	SessionSplit = 4 * time.Hour // time spent in a session
)

// Counter counts reports of one installation.
type Counter struct{ key sipKey }

// NewCounter makes a counter from the installation's secret of 32 bytes. Every
// gateway of an installation has the same secret, so that their sets unite.
func NewCounter(secret [32]byte) Counter {
	k, err := hkdf.Key(sha256.New, secret[:], nil, "tollgate time series", 16)
	if err != nil {
		panic("meter: " + err.Error())
	}
	return Counter{sipKey{binary.LittleEndian.Uint64(k), binary.LittleEndian.Uint64(k[8:])}}
}

// Count tallies the points of a report of the type.
func (c Counter) Count(t Type, points []Point, o Options) Tally {
	switch t {
	case Metric:
		return Tally{{Item: Series, Priced: Metric, Members: c.series(points)}}
	case Logging, Security:
		return Tally{logs(points, o, false)}
	case Event:
		return Tally{logs(points, o, true)}
	case Dialing:
		return dialing(points, o)
	case Tracing:
		return c.tracing(points)
	case RUM:
		return c.rum(points)
	case Network:
		return Tally{{Item: NetworkHosts, Members: c.named(points, "host")}}
	case Object:
		return c.objects(points)
	}
	return nil
}

// series hashes each distinct series of the points. Consecutive samples of one
// series are hashed once.
func (c Counter) series(points []Point) []uint64 {
	list := make([]uint64, 0, len(points))
	var seen Set
	buf := make([]byte, 0, 512)
	for i := range points {
		if i > 0 && sameSeries(&points[i], &points[i-1]) {
			continue
		}
		buf = c.each(&points[i], buf, func(h uint64) {
			if seen.Add(h) {
				list = append(list, h)
			}
		})
	}
	return list
}

// each gives the hash of every series of a point: one tag combination of one
// metric, where the metric is the measurement and the key of a numeric field
// (domain section 7.2). The tags are hashed once, then each field's key with
// the result.
func (c Counter) each(p *Point, buf []byte, add func(uint64)) []byte {
	buf = p.identity(buf[:0])
	signature := c.key.sum(buf)
	for _, f := range p.Fields {
		if f.Value.Numeric() {
			buf = binary.LittleEndian.AppendUint64(buf[:0], signature)
			add(c.key.sum(append(buf, f.Key...)))
		}
	}
	return buf
}

// sameSeries sees that two points came from one series of remote write, which
// share one array of tags; it may miss others.
func sameSeries(a, b *Point) bool {
	return len(a.Tags) > 0 && len(a.Tags) == len(b.Tags) && &a.Tags[0] == &b.Tags[0] &&
		len(a.Fields) == 1 && len(b.Fields) == 1 && a.Fields[0].Key == b.Fields[0].Key && a.Name == b.Name
}

// identity appends the name and the tags so that no two differ and look alike:
// each part behind its length.
func (p *Point) identity(buf []byte) []byte {
	buf = appendPart(buf, p.Name)
	for _, t := range p.Tags {
		buf = appendPart(buf, t.Key)
		buf = appendPart(buf, t.Value)
	}
	return buf
}

func appendPart(buf []byte, s string) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(s)))
	return append(buf, s...)
}

// Split is how many records one of the size counts as: the whole number of
// limits in it, at least 1 (domain section 7.3, C-07: never more than was
// announced).
func Split(size, limit int64) int64 { return max(1, size/limit) }

// Size is the size of a record: the bytes of the keys and values of its tags
// and fields. Its name, its time and what any encoding adds are not in it.
func (p *Point) Size() int64 {
	var n int64
	for _, t := range p.Tags {
		n += int64(len(t.Key) + len(t.Value))
	}
	for _, f := range p.Fields {
		n += int64(len(f.Key)) + f.Value.Size()
	}
	return n
}
