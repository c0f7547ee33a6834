package shapes

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/flomesh-io/fsmc/sources"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

// The port that every Service has, and the one that every application listens on.
const (
	servicePort = 80
	targetPort  = 8080
)

// Manifests is the mesh as a repository of manifests holds it: no pods, addresses or endpoints. Each Deployment has as
// many replicas as asked for.
func (g Graph) Manifests(replicas int) sources.Objects {
	o := sources.Objects{MeshConfigs: []*configv1alpha2.MeshConfig{meshConfig()}}
	namespaces := map[string]bool{}
	for _, app := range g.Apps {
		if !namespaces[app.Namespace] {
			namespaces[app.Namespace] = true
			o.Namespaces = append(o.Namespaces, namespace(app.Namespace))
		}
		o.ServiceAccounts = append(o.ServiceAccounts, &corev1.ServiceAccount{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
			ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: app.Name},
		})
		for _, name := range app.services() {
			o.Services = append(o.Services, service(app, name))
		}
		for _, version := range app.versions() {
			o.Deployments = append(o.Deployments, deployment(app, version, int32(replicas)))
		}
	}
	g.addPolicies(&o)
	return o
}

func meshConfig() *configv1alpha2.MeshConfig {
	return &configv1alpha2.MeshConfig{
		TypeMeta:   metav1.TypeMeta{APIVersion: "config.flomesh.io/v1alpha2", Kind: "MeshConfig"},
		ObjectMeta: metav1.ObjectMeta{Namespace: sources.ControlPlaneNamespace, Name: sources.MeshConfigName},
	}
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{sources.MonitoredByLabel: sources.DefaultMeshName},
			Annotations: map[string]string{sources.InjectionAnnotation: "enabled"},
		},
	}
}

// service selects all versions of the application, or the one that it is named after.
func service(app App, name string) *corev1.Service {
	selector := map[string]string{"app": app.Name}
	if name != app.Name {
		selector["version"] = name
	}
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: name, Labels: map[string]string{"app": app.Name}},
		Spec: corev1.ServiceSpec{
			Selector: selector,
			Ports: []corev1.ServicePort{{
				Name: "http", Protocol: corev1.ProtocolTCP, Port: servicePort, TargetPort: intstr.FromString("web"),
			}},
		},
	}
}

func deployment(app App, version string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": app.Name, "version": version}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: version, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{ServiceAccountName: app.Name, Containers: []corev1.Container{container(app)}},
			},
		},
	}
}

func container(app App) corev1.Container {
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
		HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromString("web")},
	}}
	return corev1.Container{
		Name:           "app",
		Image:          "registry.example.org/" + app.Namespace + "/" + app.Name + ":1.0.0",
		Ports:          []corev1.ContainerPort{{Name: "web", ContainerPort: targetPort, Protocol: corev1.ProtocolTCP}},
		Env:            []corev1.EnvVar{{Name: "IDENTITY", Value: app.Name}},
		ReadinessProbe: probe,
	}
}
