package sources

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"

	"github.com/flomesh-io/fsmc/model"
)

const accountKind = "ServiceAccount"

// destinationOf is the identity that a target protects; false when the target must be left out.
func destinationOf(target *TrafficTarget) (model.Identity, bool, []model.Diagnostic) {
	written := target.Spec.Destination
	identity, valid, notes := identityOf(target, written, "destination", "the TrafficTarget is left out")
	if valid && identity.Namespace != target.Namespace {
		notes = append(notes, model.Note(model.TargetElsewhere, target.at("destination.namespace"),
			fmt.Sprintf("the destination is in namespace %s, and the TrafficTarget in %s", identity.Namespace, target.Namespace)).
			Did("the TrafficTarget is left out").
			Mend(fmt.Sprintf("move the TrafficTarget to namespace %s", identity.Namespace)))
		return model.Identity{}, false, notes
	}
	return identity, valid, notes
}

// sourcesOf are the identities that a target admits, in order and without repetition.
func sourcesOf(target *TrafficTarget) ([]model.Identity, []model.Diagnostic) {
	var identities []model.Identity
	var notes []model.Diagnostic
	for i, written := range target.Spec.Sources {
		identity, valid, found := identityOf(target, written, fmt.Sprintf("sources[%d]", i), "the source is left out")
		notes = append(notes, found...)
		if valid {
			identities = append(identities, identity)
		}
	}
	if len(target.Spec.Sources) == 0 {
		notes = append(notes, model.Note(model.NoSources, target.at("sources"), "the TrafficTarget lists no sources").
			Did("it admits nobody").Mend("list the ServiceAccounts of the clients under sources"))
	}
	slices.SortFunc(identities, model.Identity.Compare)
	return slices.Compact(identities), notes
}

// identityOf reads a subject. Its namespace, when left out, is the target's.
func identityOf(target *TrafficTarget, written accessv1alpha3.IdentityBindingSubject, field, instead string) (model.Identity, bool, []model.Diagnostic) {
	if written.Kind != accountKind {
		return model.Identity{}, false, []model.Diagnostic{
			model.Note(model.UnknownSubject, target.at(field+".kind"), fmt.Sprintf("the subject is of kind %q", written.Kind)).
				Did(instead).Mend("name a ServiceAccount, which is what a certificate proves"),
		}
	}
	if problem := misnamed("name", written.Name); problem != "" {
		return model.Identity{}, false, []model.Diagnostic{unknownSubject(target.at(field+".name"), problem, instead)}
	}
	if written.Namespace == "" {
		return model.Identity{Namespace: target.Namespace, ServiceAccount: written.Name}, true, []model.Diagnostic{
			model.Note(model.NamespaceOmitted, target.at(field), fmt.Sprintf("the subject %s has no namespace", written.Name)).
				Did(fmt.Sprintf("namespace %s, the TrafficTarget's, is taken", target.Namespace)).
				Mend(fmt.Sprintf("add namespace: %s", target.Namespace)),
		}
	}
	if problem := misnamed("namespace", written.Namespace); problem != "" {
		return model.Identity{}, false, []model.Diagnostic{unknownSubject(target.at(field+".namespace"), problem, instead)}
	}
	return model.Identity{Namespace: written.Namespace, ServiceAccount: written.Name}, true, nil
}

func unknownSubject(at model.Ref, problem, instead string) model.Diagnostic {
	return model.Note(model.UnknownSubject, at, problem).Did(instead).
		Mend("write the name of one ServiceAccount, and list several one by one")
}

// misnamed says why a name cannot be one that Kubernetes knows (a DNS subdomain, RFC 1123). Whoever writes * means
// everybody, and is told.
func misnamed(what, name string) string {
	if name == "" {
		return fmt.Sprintf("the subject's %s is empty, and an empty %s is not a wildcard", what, what)
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.':
		case c == '*':
			return fmt.Sprintf("%q is no %s: names are never wildcards", name, what)
		default:
			return fmt.Sprintf("%q cannot be the %s of a ServiceAccount", name, what)
		}
	}
	return ""
}

// namesInput is the accounts that exist as objects, and those that proxies run as.
type namesInput struct {
	accounts   []*corev1.ServiceAccount
	identities []model.Identity
}

// accountNames are the accounts of each namespace, in order, that workloads run as or that exist as objects.
func accountNames(in namesInput, _ map[string][]string) map[string][]string {
	seen := map[model.Identity]bool{}
	for _, identity := range in.identities {
		seen[identity] = true
	}
	for _, account := range in.accounts {
		seen[model.Identity{Namespace: account.Namespace, ServiceAccount: account.Name}] = true
	}
	names := map[string][]string{}
	for _, identity := range slices.SortedFunc(maps.Keys(seen), model.Identity.Compare) {
		names[identity.Namespace] = append(names[identity.Namespace], identity.ServiceAccount)
	}
	return names
}

// unknownIdentity is about a destination that nothing runs as.
func unknownIdentity(target *TrafficTarget, destination model.Identity, accounts []string) model.Diagnostic {
	others := slices.DeleteFunc(slices.Clone(accounts), func(name string) bool { return name == destination.ServiceAccount })
	return model.Note(model.NoSuchIdentity, target.at("destination.name"),
		fmt.Sprintf("no workload of namespace %s runs as ServiceAccount %s", destination.Namespace, destination.ServiceAccount)).
		Did("the TrafficTarget has no effect until one does").
		Mend(didYouMean(destination.ServiceAccount, others, "set serviceAccountName of the destination's pods, or correct the name"))
}
