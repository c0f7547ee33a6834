package files

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// foreign is an object of no kind in the table. Most are none of the mesh's business. A kind of the mesh in a version that
// is not read is another matter: it is written and has no effect, and is as broken as one with a mistake in it.
func (m manifest) foreign() outcome {
	versions := versionsOf(m.apiVersion, m.kind)
	group, _, _ := strings.Cut(m.apiVersion, "/")
	switch {
	case len(versions) > 0:
		return m.named(versions[0], nil, []finding{m.strange(
			fmt.Sprintf("%s of %s is not read", m.kind, m.apiVersion), "write it as "+listed(versions))})
	case ownGroup(group):
		return m.outcome(lost, model.Ref{}, []finding{m.strange(fmt.Sprintf("%s of %s is not known to this version of fsmc", m.kind, m.apiVersion), "")})
	}
	return m.outcome(unused, model.Ref{}, nil)
}

func (m manifest) strange(message, fix string) finding {
	return finding{
		code: model.UnknownKind, level: model.Warning, position: m.body.position(m.start),
		message: message, instead: "it has no effect", fix: fix,
	}
}

// versionsOf are the rows of the table that a document could mean whose own version is not there. The workloads of apps
// and the Jobs of batch once stood in the group extensions.
func versionsOf(apiVersion, kind string) []sources.Kind {
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group = ""
	}
	group = strings.Replace(group, "openservicemesh.io", "flomesh.io", 1)
	var versions []sources.Kind
	for k := range sources.Kinds() {
		if k.Kind == kind && (k.Group == group || group == "extensions" && k.Group != "") {
			versions = append(versions, k)
		}
	}
	return versions
}

func listed(kinds []sources.Kind) string {
	var versions []string
	for _, k := range kinds {
		versions = append(versions, k.APIVersion())
	}
	return strings.Join(versions, ", ")
}

// ownGroup is true for the groups of the mesh: their objects are policies, which nobody should think to be in force.
func ownGroup(group string) bool {
	return slices.Contains([]string{
		"access.smi-spec.io", "specs.smi-spec.io", "split.smi-spec.io",
		"config.flomesh.io", "policy.flomesh.io", "config.openservicemesh.io", "policy.openservicemesh.io",
	}, group)
}
