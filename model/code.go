package model

import (
	"maps"
	"slices"
)

// Code names a kind of finding. Codes are stable: one is never reused, and its number says nothing but its group.
//
//	10xx reading   11xx namespaces and injection   12xx services and endpoints
//	20xx access    21xx specs                      22xx split
//	30xx settings  40xx configuration for Envoy
type Code string

// The codes. Each has a page below.
const (
	UnreadableDocument Code = "FSM1001"
	WrongType          Code = "FSM1002"
	UnknownField       Code = "FSM1003"
	DuplicateObject    Code = "FSM1004"
	DuplicateKey       Code = "FSM1005"
	UnknownKind        Code = "FSM1006"
	NoKindOrName       Code = "FSM1007"
	MisplacedField     Code = "FSM1008"
	ManyAliases        Code = "FSM1009"
	NoManifests        Code = "FSM1010"
	LinkedTwice        Code = "FSM1011"
	StaleObject        Code = "FSM1012"
	PolledFiles        Code = "FSM1013"

	NamespaceOutside Code = "FSM1101"
	NamespaceAssumed Code = "FSM1102"
	InvalidInjection Code = "FSM1103"
	NoSidecar        Code = "FSM1104"
	AssumedObjects   Code = "FSM1105"
	InvalidWorkload  Code = "FSM1106"
	UnknownAccount   Code = "FSM1107"
	MixedSpelling    Code = "FSM1108"
	ProxyOwnAddress  Code = "FSM1109"

	InvalidPort         Code = "FSM1201"
	SidecarPort         Code = "FSM1202"
	UnknownProtocol     Code = "FSM1203"
	ProtocolConflict    Code = "FSM1204"
	UnmeshedEndpoint    Code = "FSM1205"
	InvalidAddress      Code = "FSM1206"
	AmbiguousAddress    Code = "FSM1207"
	SharedAddress       Code = "FSM1208"
	NotTCP              Code = "FSM1209"
	ExternalNameService Code = "FSM1210"
	NoTargetPort        Code = "FSM1211"

	TargetElsewhere    Code = "FSM2001"
	NoSources          Code = "FSM2002"
	NoRules            Code = "FSM2003"
	UnknownSubject     Code = "FSM2004"
	NamespaceOmitted   Code = "FSM2005"
	UnknownRoute       Code = "FSM2006"
	UnknownMatch       Code = "FSM2007"
	UnknownRule        Code = "FSM2008"
	ServicePortInRoute Code = "FSM2009"
	WholePortAdmitted  Code = "FSM2010"
	NoSuchIdentity     Code = "FSM2011"
	TargetsIgnored     Code = "FSM2012"
	TCPDoorUntouched   Code = "FSM2013"

	InvalidRegex   Code = "FSM2101"
	InvalidMethod  Code = "FSM2102"
	DuplicateMatch Code = "FSM2103"
	EmptyGroup     Code = "FSM2104"
	AnchoredPath   Code = "FSM2105"
	RepeatedHeader Code = "FSM2106"
	UDPUnsupported Code = "FSM2107"
	InvalidHeader  Code = "FSM2108"
	UnnamedMatch   Code = "FSM2109"

	UnknownRoot        Code = "FSM2201"
	UnknownBackend     Code = "FSM2202"
	BackendPort        Code = "FSM2203"
	NoWeight           Code = "FSM2204"
	InvalidWeight      Code = "FSM2205"
	SplitConflict      Code = "FSM2206"
	SplitElsewhere     Code = "FSM2207"
	BackendUnreachable Code = "FSM2208"
	RootIsBackend      Code = "FSM2209"
	MatchesOnTCP       Code = "FSM2210"
	DuplicateBackend   Code = "FSM2211"
	NoBackends         Code = "FSM2212"

	NoMeshConfig     Code = "FSM3001"
	BrokenMeshConfig Code = "FSM3002"
	InvalidSetting   Code = "FSM3003"
	SecondMeshConfig Code = "FSM3004"
	InertSetting     Code = "FSM3005"
	RestartNeeded    Code = "FSM3006"

	RootElsewhere       Code = "FSM3101"
	BrokenRoot          Code = "FSM3102"
	UnsupportedProvider Code = "FSM3103"
	SecondActiveRoot    Code = "FSM3104"
	NoActiveRoot        Code = "FSM3105"
	ManyRoots           Code = "FSM3106"
	OtherTrustDomain    Code = "FSM3107"
	RoleOmitted         Code = "FSM3108"

	OverlappingChain Code = "FSM4001"
	DuplicateDomain  Code = "FSM4002"
)

// Page is what `fsmc explain` prints for a code.
type Page struct {
	Level Level
	// Title is one line.
	Title string
	// Text says why it matters, what fsmc does instead, and how to mend it.
	Text string
}

// Page is the code's page; an unknown code has an empty one at level Error.
func (c Code) Page() Page {
	if page, ok := pages[c]; ok {
		return page
	}
	return Page{Level: Error}
}

// Codes are all codes, in order.
func Codes() []Code { return slices.Sorted(maps.Keys(pages)) }
