"""Who may do what in Superset: its own roles, the role `Viewer`, and the two users that the settings name."""

from collections.abc import Sequence
from typing import Final

from superset import appbuilder, db, security_manager
from superset.models.core import Database

from clickstream.settings import SupersetSettings

ADMIN_ROLE: Final = "Admin"
VIEWER_ROLE: Final = "Viewer"

# What a browser asks for while it shows a dashboard, and what it keeps of filters that are set there.
VIEWER_PERMISSIONS: Final = (
    ("can_read", "Dashboard"),
    ("can_read", "Chart"),
    ("can_read", "Dataset"),
    ("can_read", "Theme"),
    ("can_read", "CssTemplate"),
    ("can_read", "CurrentUserRestApi"),
    ("can_read", "Annotation"),
    ("can_read", "DashboardFilterStateRestApi"),
    ("can_write", "DashboardFilterStateRestApi"),
    ("can_read", "DashboardPermalinkRestApi"),
    ("can_write", "DashboardPermalinkRestApi"),
    ("can_dashboard", "Superset"),
    ("can_dashboard_permalink", "Superset"),
    ("can_log", "Superset"),
    ("can_recent_activity", "Log"),
    ("can_view_chart_as_table", "Dashboard"),
    ("can_csv", "Superset"),
    # The token against forged requests.
    ("can_read", "SecurityRestApi"),
    ("can_time_range", "Api"),
    ("can_get", "MenuApi"),
    ("can_userinfo", "UserDBModelView"),
    ("resetmypassword", "UserDBModelView"),
    ("menu_access", "Dashboards"),
)


def make_roles() -> None:
    """Make Superset's own permissions and roles, as `superset init` does."""
    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()


def make_users(settings: SupersetSettings) -> None:
    """Make both users, or bring their passwords and roles to what the settings say."""
    viewer_role = security_manager.add_role(VIEWER_ROLE)
    _make_user(
        settings.admin_name,
        settings.admin_email,
        settings.admin_password.get_secret_value(),
        security_manager.find_role(ADMIN_ROLE),
    )
    _make_user(
        settings.viewer_name,
        f"{settings.viewer_name}@localhost.localdomain",
        settings.viewer_password.get_secret_value(),
        viewer_role,
    )
    db.session.commit()


def grant_viewer(databases: Sequence[Database]) -> None:
    """Give the role `Viewer` what it may do, the data of these databases, and nothing else."""
    pairs = [*VIEWER_PERMISSIONS, *(("database_access", database.perm) for database in databases)]
    permissions = [security_manager.add_permission_view_menu(*pair) for pair in pairs]
    role = security_manager.find_role(VIEWER_ROLE)
    role.permissions = permissions
    db.session.commit()


def _make_user(name: str, email: str, password: str, role: object) -> None:
    user = security_manager.find_user(username=name)
    if user is None:
        user = security_manager.add_user(name, name.capitalize(), "", email, role, password=password)
        if not user:
            raise RuntimeError(f"The user {name} can't be made; is {email} another user's address?")
        return
    user.active = True
    user.roles = [role]
    security_manager.reset_password(user.id, password)
