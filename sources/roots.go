package sources

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/flomesh-io/fsmc/model"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

const rootKind = "MeshRootCertificate"

// resolveRoots reads the MeshRootCertificates: which roots are trusted, which one of them signs, and in which trust
// domain. None written means the authority that the control plane keeps; one that is written and cannot be used does not.
func resolveRoots(objects Objects, config model.Ref) (roots model.List[model.Root], trustDomain string, notes []model.Diagnostic) {
	var reader rootReader
	all := reader.all(objects, config)
	signs := reader.signing(all)
	var trusted []model.Root
	for i, root := range all {
		root.Signs = i == signs
		if root.usable || root.Signs {
			trusted = append(trusted, root.Root)
		}
	}
	slices.SortFunc(trusted, model.Root.Compare)
	return model.ListOf(trusted...), reader.trustDomain(all, signs), reader.notes
}

// all are the roots that are not inactive, the oldest first.
func (r *rootReader) all(objects Objects, config model.Ref) []writtenRoot {
	counting := r.counting(objects, config)
	var all []writtenRoot
	for _, object := range counting {
		if root := r.read(object); !root.inactive {
			all = append(all, root)
		}
	}
	all = append(all, r.broken(objects, config)...)
	if len(all) == 0 && len(counting) > 0 {
		r.note(model.NoActiveRoot, refTo(rootKind, counting[0]).At("spec.role"), "every MeshRootCertificate is inactive",
			"the authority that the control plane keeps signs", "write role: active in one of them")
	}
	return all
}

// writtenRoot is a MeshRootCertificate as it was written.
type writtenRoot struct {
	model.Root
	inactive, passive bool
	// usable says that everything could be read that there has to be.
	usable bool
	// trustDomain is empty when it could not be read.
	trustDomain string
}

// rootReader collects what is found about roots.
type rootReader struct{ notes []model.Diagnostic }

func (r *rootReader) note(code model.Code, at model.Ref, message, instead, mend string) {
	r.notes = append(r.notes, model.Note(code, at, message).Did(instead).Mend(mend))
}

// counting are the roots in the namespace of the control plane, the oldest first. Others could be anybody's.
func (r *rootReader) counting(objects Objects, config model.Ref) []*configv1alpha2.MeshRootCertificate {
	var counting []*configv1alpha2.MeshRootCertificate
	for _, object := range objects.MeshRootCertificates {
		if isControlPlane(object.Namespace, config) {
			counting = append(counting, object)
			continue
		}
		r.note(model.RootElsewhere, refTo(rootKind, object), fmt.Sprintf("namespace %s is not that of the control plane", object.Namespace),
			"the root is left out", "move it to the namespace of the MeshConfig")
	}
	slices.SortFunc(counting, func(a, b *configv1alpha2.MeshRootCertificate) int { return byAge(a, b) })
	return counting
}

// isControlPlane says whether a namespace is that of the control plane: where the MeshConfig is, if there is one.
func isControlPlane(namespace string, config model.Ref) bool {
	if config != (model.Ref{}) {
		return namespace == config.Namespace
	}
	return namespace == ControlPlaneNamespace || namespace == aliasControlPlaneNamespace
}

// broken are the roots that are written but could not be decoded, by name.
func (r *rootReader) broken(objects Objects, config model.Ref) []writtenRoot {
	var refs []model.Ref
	for _, ref := range objects.Broken {
		if ref.Kind == rootKind && isControlPlane(ref.Namespace, config) && !hasRoot(objects, ref) {
			refs = append(refs, ref.Object())
		}
	}
	slices.SortFunc(refs, model.Ref.Compare)
	var roots []writtenRoot
	for _, ref := range slices.Compact(refs) {
		r.note(model.BrokenRoot, ref, "the MeshRootCertificate could not be read", unusedRoot, "mend the errors reported for it")
		roots = append(roots, writtenRoot{Root: model.Root{Name: ref.Name, From: ref}})
	}
	return roots
}

func hasRoot(objects Objects, ref model.Ref) bool {
	return slices.ContainsFunc(objects.MeshRootCertificates, func(o *configv1alpha2.MeshRootCertificate) bool {
		return o.Namespace == ref.Namespace && o.Name == ref.Name
	})
}

const unusedRoot = "it is neither trusted nor signs"

// read reads one root. What it says of an inactive one does not matter.
func (r *rootReader) read(object *configv1alpha2.MeshRootCertificate) writtenRoot {
	ref := refTo(rootKind, object)
	root := writtenRoot{Root: model.Root{Name: object.Name, From: ref}}
	hasRole := r.role(&root, object.Spec.Role)
	if root.inactive {
		return root
	}
	hasProvider := r.provider(&root.Root, object.Spec.Provider)
	root.usable = hasRole && hasProvider
	if !root.usable {
		root.Provider = ""
	}
	root.trustDomain = r.domain(ref, object.Spec.TrustDomain)
	return root
}

func (r *rootReader) role(root *writtenRoot, written configv1alpha2.MeshRootCertificateRole) bool {
	at := root.From.At("spec.role")
	switch written {
	case configv1alpha2.ActiveRole:
	case "":
		r.note(model.RoleOmitted, at, "the root has no role", "it is taken as active", "write role: active, passive or inactive")
	case configv1alpha2.PassiveRole:
		root.passive = true
	case configv1alpha2.InactiveRole:
		root.inactive = true
	default:
		all := []string{string(configv1alpha2.ActiveRole), string(configv1alpha2.PassiveRole), string(configv1alpha2.InactiveRole)}
		r.note(model.BrokenRoot, at, fmt.Sprintf("%q is not a role", written), unusedRoot,
			didYouMean(string(written), all, "write one of "+strings.Join(all, ", ")))
		return false
	}
	return true
}

const tresor = "tresor"

// provider reads the kind of the authority and its place into the root.
func (r *rootReader) provider(root *model.Root, spec configv1alpha2.ProviderSpec) bool {
	var kinds []string
	for _, kind := range []struct {
		name  string
		isSet bool
	}{{tresor, spec.Tresor != nil}, {"vault", spec.Vault != nil}, {"certManager", spec.CertManager != nil}} {
		if kind.isSet {
			kinds = append(kinds, kind.name)
		}
	}
	at := root.From.At("spec.provider")
	if len(kinds) != 1 {
		r.note(model.BrokenRoot, at, fmt.Sprintf("the root has %s, not one", count(len(kinds), "provider", "providers")), unusedRoot, "write one provider, such as tresor")
		return false
	}
	root.Provider = kinds[0]
	if spec.Tresor == nil {
		r.note(model.UnsupportedProvider, at.At("spec.provider."+kinds[0]), kinds[0]+" is not supported yet", unusedRoot, "use a root of the provider tresor")
		return false
	}
	return r.secret(root, spec.Tresor.CA.SecretRef)
}

func (r *rootReader) secret(root *model.Root, secret configv1alpha2.SecretReference) bool {
	ok := r.named(root.From.At("spec.provider.tresor.ca.secretRef.namespace"), "the namespace of its Secret", secret.Namespace)
	ok = r.named(root.From.At("spec.provider.tresor.ca.secretRef.name"), "the name of its Secret", secret.Name) && ok
	if ok {
		root.SecretNamespace, root.SecretName = secret.Namespace, secret.Name
	}
	return ok
}

// named says whether a name is one that an object can have. An authority may be kept in a folder of that name as well.
func (r *rootReader) named(at model.Ref, what, name string) bool {
	switch {
	case name == "":
		r.note(model.BrokenRoot, at, "the root does not say "+what, unusedRoot, "write it")
	case len(validation.IsDNS1123Subdomain(name)) > 0:
		r.note(model.BrokenRoot, at, fmt.Sprintf("%q cannot be %s", name, what), unusedRoot, "write a name of small letters, digits, - and .")
	default:
		return true
	}
	return false
}

// domain reads a trust domain. SPIFFE allows a little more than names of DNS; who can be confused by that is not known.
func (r *rootReader) domain(ref model.Ref, written string) string {
	switch {
	case written == "":
		return DefaultTrustDomain
	case len(validation.IsDNS1123Subdomain(written)) > 0:
		r.note(model.OtherTrustDomain, ref.At("spec.trustDomain"), fmt.Sprintf("%q is not a trust domain", written),
			DefaultTrustDomain+" is taken", "write a DNS name in small letters, such as "+DefaultTrustDomain)
		return DefaultTrustDomain
	default:
		return written
	}
}

// signing chooses the root that signs: an active one, else another that can be used, else one that cannot, so that nobody
// signs in its place. It is -1 when there are no roots.
func (r *rootReader) signing(all []writtenRoot) int {
	signs := slices.IndexFunc(all, func(w writtenRoot) bool { return w.usable && !w.passive })
	if signs < 0 {
		signs = slices.IndexFunc(all, func(w writtenRoot) bool { return w.usable })
		r.noneActive(all, signs)
	}
	var usable int
	for i, root := range all {
		if !root.usable {
			continue
		}
		if i != signs && !root.passive {
			r.note(model.SecondActiveRoot, root.From.At("spec.role"), fmt.Sprintf("%s is active already", all[signs].Name),
				"this one is trusted, and does not sign", "make one of them passive")
		}
		if usable++; usable > 2 {
			r.note(model.ManyRoots, root.From, fmt.Sprintf("it is number %d of the roots that are not inactive", usable),
				"it is trusted too", "make those inactive that are not needed")
		}
	}
	if signs < 0 && len(all) > 0 {
		return 0
	}
	return signs
}

// noneActive reports that no root that can be used is active. When none can be used at all, that was said of each.
func (r *rootReader) noneActive(all []writtenRoot, signs int) {
	if signs >= 0 {
		r.note(model.NoActiveRoot, all[signs].From.At("spec.role"), "no root that can be used is active",
			fmt.Sprintf("%s signs, the first that can", all[signs].Name), "write role: active in one of them")
	}
}

// trustDomain is that of the root that signs.
func (r *rootReader) trustDomain(all []writtenRoot, signs int) string {
	if signs < 0 || all[signs].trustDomain == "" {
		return DefaultTrustDomain
	}
	domain := all[signs].trustDomain
	for _, root := range all {
		if root.usable && root.trustDomain != domain {
			r.note(model.OtherTrustDomain, root.From.At("spec.trustDomain"), fmt.Sprintf("its trust domain is %s, that of the mesh %s", root.trustDomain, domain),
				domain+" is taken", "write the same trust domain in both")
		}
	}
	return domain
}
