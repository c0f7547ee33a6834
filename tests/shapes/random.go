package shapes

// random is a sequence of numbers that is the same on every machine and with every version of Go: SplitMix64, begun at
// its value.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a number from 0 to n-1. The bias of the remainder is far below what a benchmark could show.
func (r *random) below(n int) int { return int(r.next() % uint64(n)) }

// choose is count different numbers below n, in random order.
func (r *random) choose(count, n int) []int {
	numbers := span(0, n)
	for i := range count {
		j := i + r.below(n-i)
		numbers[i], numbers[j] = numbers[j], numbers[i]
	}
	return numbers[:count]
}
