//! What belongs to a cluster itself, or only plays at being a user, and so serves nobody.

/// Namespaces of it, besides those that end in `-system`.
const NAMESPACES: [&str; 22] = [
    "argocd",
    "argo-cd",
    "argo-rollouts",
    "argo-workflows",
    "cert-manager",
    "crossplane",
    "external-dns",
    "external-secrets",
    "flux",
    "ingress-nginx",
    "kube-node-lease",
    "kube-public",
    "kyverno",
    "linkerd",
    "linkerd-viz",
    "logging",
    "monitoring",
    "observability",
    "sealed-secrets",
    "tracing",
    "traefik",
    "velero",
];
/// Charts and workloads of it.
const NAMES: [&str; 46] = [
    "alertmanager",
    "argo-cd",
    "argo-rollouts",
    "argo-workflows",
    "aws-load-balancer-controller",
    "cert-manager",
    "cilium",
    "cluster-autoscaler",
    "contour",
    "coredns",
    "descheduler",
    "envoy-gateway",
    "external-dns",
    "external-secrets",
    "fluent-bit",
    "fluentd",
    "gatekeeper",
    "gateway-helm",
    "grafana",
    "ingress-nginx",
    "jaeger",
    "karpenter",
    "kiali",
    "kibana",
    "kube-prometheus-stack",
    "kube-state-metrics",
    "kyverno",
    "loki",
    "longhorn",
    "metallb",
    "metrics-server",
    "nginx-ingress",
    "opentelemetry-collector",
    "opentelemetrycollector",
    "otel-collector",
    "otelcollector",
    "prometheus",
    "promtail",
    "rook-ceph",
    "sealed-secrets",
    "tempo",
    "traefik",
    "vector",
    "velero",
    "weave-gitops",
    "zipkin",
];
/// Parts of the names of what makes load for tests.
const LOAD: [&str; 8] =
    ["loadgenerator", "load-generator", "loadtest", "load-test", "loadgen", "locust", "traffic-generator", "k6-"];

/// Why this serves no users, if it doesn't, and what it is that says so: its namespace or its name.
pub(super) fn why_not<'n>(namespace: Option<&'n str>, name: &'n str) -> Option<(&'static str, &'n str)> {
    if let Some(namespace) = namespace.filter(|space| NAMESPACES.contains(space) || space.ends_with("-system")) {
        return Some(("these namespaces serve no users", namespace));
    }
    if NAMES.contains(&name) {
        return Some(("it belongs to the cluster itself", name));
    }
    LOAD.iter().any(|part| name.contains(part)).then_some(("it plays users for a test", name))
}
