package sources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

// resolveSettings reads the MeshConfig that counts. Without one, or when it could not be read, everything is off.
func resolveSettings(objects Objects) (model.Settings, []model.Diagnostic) {
	config, ref, notes := meshConfig(objects)
	if config == nil {
		config = &configv1alpha2.MeshConfig{}
	}
	reader := settingsReader{ref: ref, notes: notes}
	roots, trustDomain, rootNotes := resolveRoots(objects, ref)
	settings := model.Settings{
		MeshName:     cmp.Or(objects.MeshName, DefaultMeshName),
		TrustDomain:  trustDomain,
		Permissive:   config.Spec.Traffic.EnablePermissiveTrafficPolicyMode,
		Egress:       config.Spec.Traffic.EnableEgress,
		TLS:          reader.tls(config.Spec.Sidecar),
		HTTPClosed:   unchecked(config.Spec.Traffic.InboundExternalAuthorization),
		Interception: reader.interception(config.Spec.Traffic),
		Roots:        roots,
		ControlPlane: reader.controlPlane(config.Spec),
		From:         ref,
	}
	reader.check(config.Spec)
	reader.inert(config.Spec)
	return settings, slices.Concat(reader.notes, rootNotes)
}

// candidate is a MeshConfig that is written; config is nil when it could not be read.
type candidate struct {
	ref    model.Ref
	config *configv1alpha2.MeshConfig
}

// meshConfig finds the MeshConfig that counts; nil when there is none to read.
func meshConfig(objects Objects) (*configv1alpha2.MeshConfig, model.Ref, []model.Diagnostic) {
	candidates := meshConfigs(objects)
	if len(candidates) == 0 {
		return nil, model.Ref{}, []model.Diagnostic{model.Note(model.NoMeshConfig, model.Ref{}, "the input has no MeshConfig").
			Did("everything is off: SMI mode, no egress").Mend("add a MeshConfig named " + MeshConfigName)}
	}
	winner := candidates[0]
	var notes []model.Diagnostic
	for _, other := range candidates[1:] {
		notes = append(notes, model.Note(model.SecondMeshConfig, other.ref, fmt.Sprintf("MeshConfig %s/%s counts already", winner.ref.Namespace, winner.ref.Name)).
			Did("this one has no effect").Mend("remove one of them"))
	}
	if winner.config == nil {
		notes = append(notes, model.Note(model.BrokenMeshConfig, winner.ref, "the MeshConfig could not be read").
			Did("everything is off: SMI mode, no egress").Mend("mend the errors reported for it"))
	}
	return winner.config, winner.ref, notes
}

// meshConfigs are all that are written, the one that counts first: by its name, then in the namespace of the control
// plane, then by namespace and name.
func meshConfigs(objects Objects) []candidate {
	var found []candidate
	for _, config := range objects.MeshConfigs {
		found = append(found, candidate{refTo(configKind, config), config})
	}
	for _, ref := range objects.Broken {
		if ref.Kind == configKind {
			found = append(found, candidate{ref: ref.Object()})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(precedence(a.ref), precedence(b.ref)), a.ref.Compare(b.ref), last(a.config == nil, b.config == nil))
	})
	return slices.CompactFunc(found, func(a, b candidate) bool { return a.ref == b.ref })
}

const (
	configKind = "MeshConfig"
	// The names that the older spelling has.
	aliasMeshConfigName        = "osm-mesh-config"
	aliasControlPlaneNamespace = "osm-system"
)

func precedence(ref model.Ref) int {
	rank := 4
	switch ref.Name {
	case MeshConfigName:
		rank = 0
	case aliasMeshConfigName:
		rank = 2
	}
	if ref.Namespace != ControlPlaneNamespace && ref.Namespace != aliasControlPlaneNamespace {
		rank++
	}
	return rank
}

// settingsReader reads one MeshConfig and collects what is found about it. What cannot be used is left out, or has its
// default.
type settingsReader struct {
	ref   model.Ref
	notes []model.Diagnostic
}

// invalid reports a field; instead says what is taken.
func (r *settingsReader) invalid(field, message, instead, mend string) {
	r.notes = append(r.notes, model.Note(model.InvalidSetting, r.ref.At(field), message).Did(instead).Mend(mend))
}

// inert lists what is set and has no effect yet, in one finding.
func (r *settingsReader) inert(spec configv1alpha2.MeshConfigSpec) {
	var set []string
	if spec.Certificate.IngressGateway != nil {
		set = append(set, "spec.certificate.ingressGateway")
	}
	for name := range flags(spec.FeatureFlags).Values() {
		set = append(set, "spec.featureFlags."+name)
	}
	if spec.Observability.Tracing.Enable {
		set = append(set, "spec.observability.tracing.enable")
	}
	if len(set) > 0 {
		r.notes = append(r.notes, model.Note(model.InertSetting, r.ref.At(set[0]), "no effect in this version: "+strings.Join(set, ", ")).
			Did("passed over").Mend("remove what is not meant for another version"))
	}
}
