package files

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// named gives the object its name and namespace as a cluster would, and refuses names that a cluster would refuse: they
// become parts of file names. Without an object it is broken.
func (m manifest) named(kind sources.Kind, object metav1.Object, findings []finding) outcome {
	var ref model.Ref
	if object != nil {
		ref = refTo(kind, object.GetNamespace(), object.GetName())
	} else {
		ref = m.written(kind)
	}
	if ref.Name == "" && anyBad(findings) {
		// That the name is missing may well be because of them.
		return m.outcome(lost, model.Ref{}, findings)
	}
	if wrong := m.checkNames(ref); len(wrong) > 0 {
		return m.outcome(lost, model.Ref{}, append(findings, wrong...))
	}
	o := m.outcome(broken, ref, findings)
	o.registered = kind
	if object != nil {
		object.SetNamespace(ref.Namespace)
		return o.converted(object)
	}
	return o
}

// converted is the outcome with a decoded object, which is broken still if it cannot be converted.
func (o outcome) converted(object metav1.Object) outcome {
	made, diagnostics := o.registered.Convert(object)
	o.conversion = diagnostics
	if made != nil && !slices.ContainsFunc(diagnostics, func(d model.Diagnostic) bool { return d.Level == model.Error }) {
		o.verdict, o.object = usable, made
	}
	return o
}

// written is the object that a text is about, as far as it can be told without decoding it.
func (m manifest) written(kind sources.Kind) model.Ref {
	t, _ := treeAt(m.body.json, m.start)
	metadata := t.at("metadata")
	return refTo(kind, metadata.at("namespace").word(m.body.json), metadata.at("name").word(m.body.json))
}

// refTo is the reference to an object of a kind; without a namespace it is in the default one.
func refTo(kind sources.Kind, namespace, name string) model.Ref {
	switch {
	case kind.ClusterScoped:
		namespace = ""
	case namespace == "":
		namespace = metav1.NamespaceDefault
	}
	return model.Ref{Kind: kind.Kind, Namespace: namespace, Name: name}
}

// checkNames is what is wrong with the name and the namespace of an object.
func (m manifest) checkNames(ref model.Ref) []finding {
	var findings []finding
	switch {
	case ref.Name == "":
		findings = append(findings, m.nameFinding("metadata.name", "the "+ref.Kind+" has no metadata.name", ""))
	case len(validation.IsDNS1123Subdomain(ref.Name)) > 0:
		findings = append(findings, m.nameFinding("metadata.name", fmt.Sprintf("%q is not a name that an object can have", ref.Name),
			"use lower-case letters, digits, - and ., at most 253 of them, a letter or digit at both ends"))
	}
	if ref.Namespace != "" && len(validation.IsDNS1123Label(ref.Namespace)) > 0 {
		findings = append(findings, m.nameFinding("metadata.namespace", fmt.Sprintf("%q is not a name that a namespace can have", ref.Namespace),
			"use lower-case letters, digits and -, at most 63 of them, a letter or digit at both ends"))
	}
	return findings
}

// nameFinding is about no object, for without a name there is none.
func (m manifest) nameFinding(path, message, fix string) finding {
	t, _ := treeAt(m.body.json, m.start)
	return finding{
		code: model.NoKindOrName, position: m.body.position(lookup(m.body, t, path)),
		message: message, instead: objectLeftOut, fix: fix,
	}
}
